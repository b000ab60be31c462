"""How much is tried: a sample by default, everything when `VPN_SESSIONS_LONG=1` is set."""

import os
import random

import pytest

LONG = os.environ.get("VPN_SESSIONS_LONG") == "1"

# Repeats what was random; printed at the head of a run.
SEED = int(os.environ.get("TEST_SEED", "1"))

# For what a sample of others shows well enough.
only_long = pytest.mark.skipif(not LONG, reason="only when VPN_SESSIONS_LONG=1 is set")


def quick_or_long(quick, long):
    """The one that counts in this run."""
    return long if LONG else quick


def sample(things, count):
    """So many of them, spread evenly, the first among them; all in a long run."""
    if LONG or len(things) <= count:
        return list(things)
    return [things[at * len(things) // count] for at in range(count)]


def chance(name):
    """A source of random that a run's seed repeats."""
    return random.Random(f"{SEED} {name}")
