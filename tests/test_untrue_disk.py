"""The data directory is on a disk that hangs, tears, and forgets what it could not sync."""

import shutil
import threading

import pytest

from support import troubled_folder
from support.lengths import chance, quick_or_long
from support.people import Person
from support.stories import CONNECTIONS, Stories
from support.troubled_folder import CHANGING, TroubledFolder, trouble
from support.waiting import eventually

pytestmark = pytest.mark.skipif(bool(troubled_folder.why_not()), reason=troubled_folder.why_not())

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"
THIRD = "vpn main 2;vpn sub 1"

# How often a server under load loses its power.
POWER_CUTS = quick_or_long(3, 100)


@pytest.fixture
def disk(tmp_path, seeded_data):
    """A disk on which everybody's password has been for long."""
    folder = TroubledFolder(tmp_path / "disk")
    shutil.copytree(seeded_data, folder.behind / "data")
    yield folder.mounts()
    folder.unmounts()


@pytest.fixture
def make_server_on(make_server, disk):
    """Makes servers with a data directory on that disk."""

    def made(name, **details):
        server = make_server(seed=None, DATA_DIR=disk.mount / name, **details)
        server.data_dir = disk.mount / name
        return server

    yield made
    disk.heals()


@pytest.fixture
def server(make_server_on):
    return make_server_on("data").starts()


def loses_power(server, disk):
    """The server and all that was not synced are gone; it starts again on what is left."""
    server.is_killed()
    disk.loses_power()
    disk.mounts()
    return server.starts()


def is_sound(server):
    assert "whole" in server.runs("audit", "verify").is_done()


def holds(answer):
    """What has to be on the board after that answer to a check, where nothing else was done."""
    return [answer.session] if answer.status == 201 else answer.is_refused("unavailable") and []


def checks_again(person, connection):
    """The session, as soon as changes are taken."""
    return eventually(lambda: (answer := person.checks(connection)).status == 201 and answer.session)


# How often in turn a sync fails: of the segment, and of the one in which the same is written anew.
@pytest.mark.parametrize("times", [1, 2])
def test_what_a_failed_sync_lost_was_never_acknowledged(server, disk, alice, times):
    held = alice.checks(FIRST).session
    disk.has(trouble("forget", "fsync", times=times, on="/audit/"))
    second = holds(alice.checks(SECOND))
    kept = checks_again(alice, THIRD)
    loses_power(server, disk)
    board = server.signs_in("bob").board()
    assert (board[FIRST]["sessions"], board[THIRD]["sessions"]) == ([held], [kept])
    assert board[SECOND]["sessions"] == second
    is_sound(server)


@pytest.mark.parametrize("times", [1, 2])
def test_what_a_start_read_and_the_disk_forgot_stops_no_later_start(server, disk, alice, times):
    """A sync failed and the server was killed: the next one reads what the disk will have forgotten."""
    held = alice.checks(FIRST).session
    disk.has(trouble("forget", "fsync", times=times, on="/audit/"))
    second = holds(alice.checks(SECOND))
    disk.heals()
    server.comes_back_after_a_kill()
    kept = checks_again(alice, THIRD)
    loses_power(server, disk)
    board = server.signs_in("bob").board()
    assert (board[FIRST]["sessions"], board[THIRD]["sessions"]) == ([held], [kept])
    assert board[SECOND]["sessions"] == second
    is_sound(server)


def test_nobody_is_answered_before_a_sync_that_hangs(server, disk, alice, bob):
    alice.checks(FIRST)
    disk.has(trouble("hang", "fsync", on="/audit/"))
    answers = []

    def checks(connection):
        answers.append(Person(server.url, bob.name, bob.token).checks(connection))

    waiting = [threading.Thread(target=checks, args=[name]) for name in (SECOND, THIRD)]
    for thread in waiting:
        thread.start()
    eventually(disk.hanging)
    for _ in range(50):
        assert alice.holders(SECOND) + alice.holders(THIRD) == [], "readers see what is kept only"
    assert eventually(lambda: not server.takes_changes() and server.refused_changes())
    assert all(answer.status == 503 for answer in answers), "it was acknowledged before it was on disk"
    disk.heals()
    for thread in waiting:
        thread.join(timeout=30)
    assert len(answers) == 2
    eventually(server.takes_changes)
    done = [answer.session["id"] for answer in answers if answer.status == 201]
    loses_power(server, disk)
    board = server.signs_in("bob").board()
    assert set(done) <= {session["id"] for name in (SECOND, THIRD) for session in board[name]["sessions"]}


@pytest.mark.parametrize("times", quick_or_long([3], [1, 2, 3, 4]))
def test_a_short_write_is_gone_on_with(server, disk, alice, times):
    alice.checks(FIRST)
    disk.has(trouble("half", "write", times=times, on="/audit/"))
    held = alice.checks(SECOND).session
    assert server.takes_changes()
    loses_power(server, disk)
    assert server.signs_in("bob").board()[SECOND]["sessions"] == [held]
    is_sound(server)


@pytest.mark.parametrize("error", quick_or_long(["ENOSPC"], ["ENOSPC", "EROFS", "EIO", "ESTALE"]))
def test_a_write_that_tears_is_no_part(server, disk, alice, error):
    held = alice.checks(FIRST).session
    disk.has(trouble("half", "write", times=1, on="/audit/"), trouble(error, *CHANGING, on="/audit"))
    alice.checks(SECOND).is_refused("unavailable")
    assert server.refused_changes()
    assert alice.holders(FIRST) == ["alice"]
    disk.heals()
    kept = checks_again(alice, THIRD)
    server.comes_back_after_a_kill()
    board = server.signs_in("bob").board()
    assert (board[FIRST]["sessions"], board[SECOND]["sessions"], board[THIRD]["sessions"]) == ([held], [], [kept])
    is_sound(server)


def test_a_data_directory_that_was_made_today_survives_a_loss_of_power(make_server_on, disk):
    server = make_server_on("new").starts()
    promon = server.signs_in("promon")
    held = promon.checks(FIRST).session
    loses_power(server, disk)
    assert server.signs_in("promon").board()[FIRST]["sessions"] == [held]
    assert promon.unchecks(held).session["id"] == held["id"]


def test_what_was_acknowledged_survives_every_loss_of_power(make_server_on, disk):
    server = make_server_on("data", sessions=CONNECTIONS).starts()
    stories = Stories(server, chance("losses of power"))
    for _ in range(POWER_CUTS):
        stories.go_on_until(server.is_killed)
        loses_power(server, disk)
        stories.are_kept()
