"""Waiting for what happens soon: by looking again and again, up to a deadline."""

import time

# For what happens at once on an idle machine, in seconds: room for a busy one.
SOON = 15.0

# What a promise in seconds is stretched by for the tests' own work on a busy machine.
BUSY_MACHINE = 2.0

LOOK_EVERY = 0.02


def eventually(look, within=SOON):
    """What `look` gives, as soon as that counts as true; no look may be wrong at the deadline."""
    deadline = time.monotonic() + within
    while True:
        try:
            seen = look()
            problem = f"last seen: {seen!r}"
        except AssertionError as error:
            seen, problem = None, str(error)
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {within} s; {problem}"
        time.sleep(LOOK_EVERY)
