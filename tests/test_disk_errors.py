"""Calls to the disk fail or take long: changes are refused, reading goes on, and it heals without a restart."""

import threading
import time
from functools import partial

import pytest

from support import tracing
from support.lengths import LONG
from support.waiting import SOON, eventually

pytestmark = pytest.mark.skipif(bool(tracing.why_not()), reason=tracing.why_not())

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"

# More segments than a test ever begins.
SEGMENTS = 200

# How long a sync is held up, in seconds.
HELD_UP = 2

ERRORS = ("EIO", "ENOSPC", "EACCES", "ESTALE", "EROFS", "EDQUOT")

# What fails: a call by itself, what a segment is begun with once the old one may not be written any more, everything.
FAILING = {
    "write": ["write"],
    "data sync": ["fdatasync"],
    "create": ["write", "openat"],
    "sync of the folder": ["write", "fsync"],
    "everything": ["write", "fdatasync", "fsync", "openat"],
}

# How many servers fail at the same time: most of it is waiting.
AT_ONCE = 3

QUICK = [("data sync", "EIO"), ("create", "EACCES"), ("everything", "ENOSPC")]
CASES = [(what, error) for what in FAILING for error in ERRORS] if LONG else QUICK


def paths_of(server, stream):
    """Every path that a stream's records are kept with."""
    folder = server.data_dir / "ledger" / stream
    return [folder, folder.parent / "probe", *(folder / f"{number:06}.jsonl" for number in range(1, SEGMENTS))]


def failing(server, stream, what, error, when="1+"):
    """From here on those calls fail, until it is over."""
    errors = dict.fromkeys(FAILING[what], error)
    return tracing.beside(server, *tracing.failing(errors, paths_of(server, stream), when))


def is_refused_and_readable(server, person, stream, changes):
    """Asserts that a change is refused in clear words, and that everything can still be read."""
    before = person.board()
    changes().is_refused("unavailable")
    assert person.board() == before
    assert any("cannot be kept" in detail for detail in server.refused_changes()), stream
    assert person.gets("/api/v1/me").status == 200
    assert server.visitor().gets("/healthz").status == 200


def is_refused_and_heals(server, what, error):
    alice = server.signs_in("alice")
    held = alice.checks(FIRST).session
    with failing(server, "audit", what, error):
        is_refused_and_readable(server, alice, "audit", lambda: alice.checks(SECOND))
        is_refused_and_readable(server, alice, "audit", lambda: alice.unchecks(held))
    eventually(server.takes_changes)
    second = alice.checks(SECOND).session
    server.comes_back_after_a_kill()
    board = server.signs_in("bob").board()
    assert board[FIRST]["sessions"] == [held]
    assert board[SECOND]["sessions"] == [second]
    assert "whole" in server.runs("audit", "verify").is_done()


@pytest.mark.parametrize("cases", [CASES[at : at + AT_ONCE] for at in range(0, len(CASES), AT_ONCE)], ids=str)
def test_a_disk_that_fails_refuses_changes_and_heals(make_server, at_once, cases):
    at_once([partial(is_refused_and_heals, make_server().starts(), *case) for case in cases])


@pytest.mark.parametrize("what", FAILING if LONG else ["data sync", "write"])
def test_a_disk_that_fails_once_is_used_again_at_once(server, alice, what):
    """What could not be written may be written anew elsewhere: then it is acknowledged, and there."""
    alice.checks(FIRST)
    with failing(server, "audit", what, "EIO", when="1"):
        answer = alice.checks(SECOND)
        if answer.status != 201:
            answer.is_refused("unavailable")
            eventually(lambda: alice.checks(SECOND).status == 201)
    assert server.takes_changes()
    server.comes_back_after_a_kill()
    assert server.signs_in("bob").holders(SECOND) == ["alice"]
    assert "whole" in server.runs("audit", "verify").is_done()


def test_messages_are_refused_while_they_cannot_be_kept(server, alice, dave):
    before = dave.hands_in("before")
    with failing(server, "relay", "everything", "ENOSPC"):
        is_refused_and_readable(server, dave, "relay", lambda: dave.places("hello"))
        assert alice.checks(FIRST).session, "the board's stream has room"
    after = eventually(lambda: dave.places("after").status == 200 and dave.gets("/api/v1/messages").is_done())
    assert [message["message"] for message in after["messages"]] in (["after", "before"], ["before", "after"])
    server.comes_back_after_a_kill()
    assert dave.message(before)["message"] == "before"


def test_a_password_is_refused_while_it_cannot_be_kept(server, dave):
    path, content = "/api/v1/accounts/bob/password", {"password": "another long password of bob"}
    with failing(server, "keys", "everything", "EIO"):
        is_refused_and_readable(server, dave, "keys", lambda: dave.asks("PUT", path, json=content))
        assert server.logs_in("bob", content["password"]).status == 401
    eventually(lambda: dave.asks("PUT", path, json=content).status in (200, 204))
    server.comes_back_after_a_kill()
    assert server.logs_in("bob", content["password"]).status == 200


def test_a_sync_that_takes_long_is_waited_for(server, alice, bob):
    alice.checks(FIRST)
    slow = tracing.injecting(["fdatasync"], f"delay_enter={HELD_UP}s:when=1", paths_of(server, "audit"))
    with tracing.beside(server, *slow):
        begun, took = time.monotonic(), []

        def checks():
            assert bob.checks(SECOND).session
            took.append(time.monotonic() - begun)

        waiting = threading.Thread(target=checks)
        waiting.start()
        reads = 0
        while not took and time.monotonic() - begun < SOON:
            assert alice.holders(FIRST) == ["alice"]
            reads += 1
        waiting.join(timeout=SOON)
    assert took and took[0] >= HELD_UP, "it was acknowledged before it was on disk"
    assert reads > 1, "reading waited for the disk"
