"""Whatever is changed in the data directory or on the share, `audit verify` finds it and names the file.

`crates/testkit/tests/tampering` does the same ten thousand times without the command around it.
`VPN_SESSIONS_LONG=1` tries many more here; `TEST_SEED` repeats a run."""

import os
import random

import pytest

from support.disk import segments
from support.waiting import eventually

CONNECTIONS = ["vpn main 1;vpn sub 1", "vpn main 1;vpn sub 2", "vpn main 2;vpn sub 1"]
LONG = os.environ.get("VPN_SESSIONS_LONG") == "1"
CHANGES = 400 if LONG else 24
HISTORIES = 40 if LONG else 3


@pytest.fixture
def chance():
    seed = int(os.environ.get("TEST_SEED", random.randrange(1 << 30) if LONG else 4))
    print(f"TEST_SEED={seed}")
    return random.Random(seed)


def works(server, chance, times):
    """People come and go."""
    people = [server.signs_in(name) for name in ("alice", "bob", "dave")]
    for _ in range(times):
        person, connection = chance.choice(people), chance.choice(CONNECTIONS)
        if person.name in person.holders(connection):
            continue
        session = person.takes_over(connection).session
        if chance.random() < 0.8:
            person.unchecks(session)


def is_quiet(server):
    """Everything is on the share, and signed."""
    eventually(lambda: server.runs("audit", "verify").code == 0, within=30)


def changed(content, chance):
    """The content with one thing changed; lines stay together where a line is the thing."""
    lines = content.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            lines.pop(at)
        case 1:
            lines.insert(at, lines[at])
        case 2 if at + 1 < len(lines):
            lines[at], lines[at + 1] = lines[at + 1], lines[at]
        case 3:
            return content[: chance.randrange(len(content))]
        case _:
            flipped = bytearray(content)
            flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            return bytes(flipped)
    return b"".join(lines)


def test_whatever_is_changed_is_found(server, chance):
    works(server, chance, 12)
    is_quiet(server)
    server.restarts()
    works(server, chance, 6)
    is_quiet(server)
    server.stops()
    files = [*segments(server, "audit"), *sorted(server.audit_dir.iterdir())]
    for number in range(CHANGES):
        file = chance.choice(files)
        whole = file.read_bytes()
        tampered = changed(whole, chance)
        if tampered == whole:
            continue
        file.write_bytes(tampered)
        done = server.runs("audit", "verify")
        # What stands behind the end of a segment changes nothing, and is said all the same.
        found = done.code == 1 or "is no part of the chain" in done.output
        assert found, f"change {number} of {file.name} was not found: {done.output}"
        # What is cut off behind the newest segment shows by what was signed of it.
        of_ledger = file.suffix == ".jsonl" and ("ledger audit" in done.output or "does not have" in done.output)
        assert file.name in done.output or of_ledger, f"change {number} of {file.name}: {done.output}"
        file.write_bytes(whole)
    server.runs("audit", "verify").is_done()


def test_what_nobody_changed_raises_no_alarm(server, chance):
    for _ in range(HISTORIES):
        works(server, chance, chance.randrange(1, 12))
        server.runs("audit", "verify").is_done()
        match chance.randrange(3):
            case 0:
                server.restarts()
            case 1:
                server.comes_back_after_a_kill()
        is_quiet(server)
