"""The share fails, hangs, empties and tears while the server runs: the board goes on, and each session comes once."""

import errno
import statistics
import time
from contextlib import ExitStack
from functools import partial

import pytest

from support import troubled_folder
from support.lengths import LONG, only_long, quick_or_long
from support.troubled_folder import CHANGING, READING, TroubledFolder, trouble
from support.waiting import eventually

pytestmark = pytest.mark.skipif(bool(troubled_folder.why_not()), reason=troubled_folder.why_not())

FIRST = "vpn main 1;vpn sub 1"

# How often somebody checks and unchecks while the share is in trouble.
ROUNDS = quick_or_long(10, 200)

# A call that waited for the share would take five seconds, its deadline; one that did not takes milliseconds.
FAR_BELOW_THE_DEADLINE = 2.5

ERRORS = ("EIO", "ENOSPC", "EROFS", "ESTALE", "EACCES", "EBUSY")
EVERY_CALL = READING + CHANGING

TROUBLES = {
    **{f"{name} whatever is done": trouble(name, *EVERY_CALL) for name in ERRORS},
    **{f"{name} on a change": trouble(name, *CHANGING) for name in ("ENOSPC", "EROFS", "EACCES")},
    "a file that somebody has open": trouble("EBUSY", "open", "rename", "unlink", on="audit-"),
    "no sync": trouble("EIO", "fsync"),
    "it hangs": trouble("hang", *EVERY_CALL),
    "it hangs on writes": trouble("hang", "write"),
}

# How many of these are tried at the same time: most of it is waiting.
AT_ONCE = 5

NAMES = (
    list(TROUBLES)
    if LONG
    else ["EIO whatever is done", "ENOSPC on a change", "a file that somebody has open", "no sync", "it hangs"]
)


@pytest.fixture
def make_shares(tmp_path, make_server):
    """Makes servers, each with a share of its own."""
    with ExitStack() as ends:

        def made(name):
            share = TroubledFolder(tmp_path / f"share {name}")
            ends.callback(share.unmounts)
            server = make_server(AUDIT_DIR=share.mounts().mount)
            server.audit_dir = share.behind
            ends.callback(server.is_cleared_away)
            return server.starts(), share

        yield made


@pytest.fixture
def served(make_shares):
    return make_shares("alone")


@pytest.fixture
def server(served):
    return served[0]


@pytest.fixture
def share(served):
    return served[1]


def sessions_of(person, count):
    """Sessions that began and ended, and how long each of the calls took."""
    ended, took = [], []
    for _ in range(count):
        begun = time.monotonic()
        session = person.checks(FIRST).session
        took.append(time.monotonic() - begun)
        begun = time.monotonic()
        ended.append(person.unchecks(session).session)
        took.append(time.monotonic() - begun)
    return ended, took


def is_whole(server, sessions):
    """Every session is in its report once, nothing else is there, and nothing is wrong any more."""
    eventually(lambda: server.share.has(*sessions), within=30)
    assert len(server.share.rows()) == len(sessions)
    eventually(lambda: server.readiness()["status"] == "ok", within=30)
    assert "whole" in server.runs("audit", "verify").is_done()


def the_board_goes_on_and_each_session_comes_once(name, server, share):
    alice = server.signs_in("alice")
    before, usual = sessions_of(alice, ROUNDS)
    eventually(lambda: server.share.has(*before))
    share.has(TROUBLES[name])
    meanwhile, took = sessions_of(alice, ROUNDS)
    assert eventually(lambda: server.findings("share")), "nobody is told"
    later, took_later = sessions_of(alice, ROUNDS)
    slowest, usually = (statistics.quantiles(calls, n=100)[-1] for calls in (took + took_later, usual))
    print(f"{name}: the 99th percentile of a call is {slowest / usually:.1f} times the usual one")
    assert statistics.median(took + took_later) < FAR_BELOW_THE_DEADLINE
    assert server.readiness()["status"] == "degraded", "changes are taken all the same"
    share.heals()
    is_whole(server, before + meanwhile + later)


@pytest.mark.parametrize("names", [NAMES[at : at + AT_ONCE] for at in range(0, len(NAMES), AT_ONCE)], ids=", ".join)
def test_the_board_goes_on_and_each_session_comes_once(make_shares, at_once, names):
    served = [(name, *make_shares(name)) for name in names]
    at_once([partial(the_board_goes_on_and_each_session_comes_once, *one) for one in served])


@pytest.mark.parametrize("times", quick_or_long([2], [1, 2, 3, 4]))
def test_a_write_that_tears_is_completed(server, share, alice, times):
    before, _ = sessions_of(alice, 2)
    eventually(lambda: server.share.has(*before))
    share.has(trouble("half", "write", times=times), trouble("EIO", "write", times=1))
    torn, _ = sessions_of(alice, 3)
    is_whole(server, before + torn)


def test_a_row_that_stays_torn_is_completed(server, share, alice):
    """Half is written, then everything fails: the half cannot be taken back."""
    share.has(trouble("half", "write", times=1), trouble("EIO", "write", "truncate"))
    torn, _ = sessions_of(alice, 2)
    eventually(lambda: server.findings("share"))
    share.heals()
    is_whole(server, torn)


def test_a_share_that_was_emptied_is_filled_again(server, share, alice):
    before, _ = sessions_of(alice, 3)
    eventually(lambda: server.share.has(*before))
    for path in share.behind.iterdir():
        path.unlink()
    after, _ = sessions_of(alice, 1)
    is_whole(server, before + after)


@pytest.mark.parametrize("ends", ["stops", "is_killed"])
def test_a_server_ends_in_time_while_its_share_hangs(server, share, alice, ends):
    before, _ = sessions_of(alice, 1)
    share.has(trouble("hang", *EVERY_CALL))
    meanwhile, _ = sessions_of(alice, 2)
    eventually(share.hanging)
    getattr(server, ends)()
    share.heals()
    server.starts()
    is_whole(server, before + meanwhile)


def test_a_server_starts_while_its_share_hangs(server, share, alice):
    before, _ = sessions_of(alice, 1)
    server.stops()
    share.has(trouble("hang", *EVERY_CALL))
    server.starts()
    meanwhile, _ = sessions_of(server.signs_in("alice"), 2)
    assert eventually(lambda: server.findings("share"))
    share.heals()
    is_whole(server, before + meanwhile)


@only_long
def test_what_a_hanging_write_brought_in_the_end_is_not_written_twice(server, share, alice):
    """The server gives up on the call, which happens all the same when the share wakes up."""
    before, _ = sessions_of(alice, 1)
    eventually(lambda: server.share.has(*before))
    share.has(trouble("hang", "write", "fsync"))
    meanwhile, _ = sessions_of(alice, 1)
    assert eventually(lambda: server.findings("share"))
    later, _ = sessions_of(alice, 1)
    share.heals()
    is_whole(server, before + meanwhile + later)


def test_every_error_that_is_tried_is_one():
    assert all(hasattr(errno, name) for name in ERRORS)
