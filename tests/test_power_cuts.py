"""The power fails under load, on a real file system: what was acknowledged is there, each once."""

import shutil

import pytest

from support import power
from support.lengths import chance, quick_or_long
from support.power import PowerlessDisk
from support.stories import CONNECTIONS, Stories
from support.waiting import eventually

pytestmark = pytest.mark.skipif(bool(power.why_not()), reason=power.why_not())

ROUNDS = quick_or_long(3, 100)


@pytest.fixture
def disk(tmp_path):
    disk = PowerlessDisk(tmp_path / "disk")
    try:
        yield disk.is_made().mounts()
    finally:
        disk.unmounts()


@pytest.fixture
def server(make_server, seeded_data, disk):
    """A server whose records are on that disk; the share is elsewhere."""
    shutil.copytree(seeded_data, disk.mount / "data")
    server = make_server(seed=None, sessions=CONNECTIONS, DATA_DIR=disk.mount / "data")
    server.data_dir = disk.mount / "data"
    disk.comes_back()
    yield server.starts()
    server.is_cleared_away()


def test_what_was_acknowledged_survives_every_loss_of_power(server, disk):
    # A sync that is under way while ext4 is shut down may be told that all is well; no machine without power tells it.
    stories = Stories(server, chance("power cuts"), late_answers_count=False)

    def power_fails():
        disk.loses_power()
        server.is_killed()

    for _ in range(ROUNDS):
        stories.go_on_until(power_fails)
        disk.comes_back()
        server.starts()
        stories.are_kept()


def fills(disk):
    """Leaves no byte of room."""
    filler = disk.mount / "filler"
    with open(filler, "ab", buffering=0) as file:
        for size in (1024 * 1024, 4096, 512, 1):
            while wrote(file, bytes(size)):
                pass
    return filler


def wrote(file, content):
    try:
        return file.write(content) == len(content)
    except OSError:
        return False


def refused(answer, person, done):
    """The answer, where it is a no; else the session is ended again."""
    if answer.status == 503:
        return answer
    ended = person.unchecks(answer.session)
    done.extend([ended.session] if ended.status == 200 else [])
    return ended if ended.status == 503 else None


def test_a_disk_without_room_refuses_changes_and_heals(server, disk):
    alice = server.signs_in("alice")
    first, second = list(alice.board())[:2]
    done = [alice.unchecks(alice.checks(first).session).session]
    filler = fills(disk)
    # What is left of a segment's last block holds some records more.
    answer = eventually(lambda: refused(alice.checks(second, note="a note that takes room " * 15), alice, done))
    answer.is_refused("unavailable")
    assert "make room" in server.refused_changes()[0]
    assert alice.board().keys() >= {first, second}
    filler.unlink()
    eventually(server.takes_changes)
    kept = alice.checks(first).session
    disk.loses_power()
    server.is_killed()
    disk.comes_back()
    server.starts()
    assert server.signs_in("bob").board()[first]["sessions"] == [kept]
    eventually(lambda: server.share.has(*done))
    eventually(lambda: server.readiness()["status"] == "ok")
    assert "whole" in server.runs("audit", "verify").is_done()
