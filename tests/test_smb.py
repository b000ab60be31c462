"""Data directory and share are as on an SMB mount: no locks, no links, nothing moved that is open, coarse times.

What the mount does is in `support/passing_file_system.py`; `docs/explanation/tried.md` names what it cannot show.
"""

import errno
import os
import shutil
import subprocess
import sys

import pytest

from support import troubled_folder
from support.day import FIRST, SECOND, STEPS, Day, is_kept
from support.lengths import only_long
from support.troubled_folder import TroubledFolder, trouble
from support.waiting import eventually

pytestmark = pytest.mark.skipif(bool(troubled_folder.why_not()), reason=troubled_folder.why_not())


@pytest.fixture
def mount(tmp_path, seeded_data):
    folder = TroubledFolder(tmp_path / "smb", "smb")
    shutil.copytree(seeded_data, folder.behind / "data")
    yield folder.mounts()
    folder.unmounts()


@pytest.fixture
def server(make_server, mount):
    server = make_server(seed=None, DATA_DIR=mount.mount / "data", AUDIT_DIR=mount.mount / "audit")
    server.data_dir, server.audit_dir = mount.mount / "data", mount.behind / "audit"
    yield server.starts()
    mount.heals()
    server.is_cleared_away()


def fails_with(call, *arguments):
    """The name of the error that a call ends with."""
    with pytest.raises(OSError) as raised:
        call(*arguments)
    return errno.errorcode[raised.value.errno]


def test_the_mount_is_as_smb_is(mount):
    first, second = mount.mount / "First", mount.mount / "second"
    first.write_text("1")
    second.write_text("2")
    assert (mount.mount / "FIRST").read_text() == "1"
    assert fails_with(os.link, first, mount.mount / "link") in ("ENOTSUP", "EOPNOTSUPP")
    assert fails_with(os.symlink, first, mount.mount / "link") in ("ENOTSUP", "EOPNOTSUPP")
    assert first.stat().st_mtime % 2 == 0
    with open(second):
        assert fails_with(os.rename, first, second) == "EACCES"
        assert fails_with(os.unlink, second) == "EACCES"
    eventually(lambda: renamed(first, second))
    assert second.read_text() == "1"
    folder = os.open(mount.mount, os.O_RDONLY)
    assert fails_with(os.fsync, folder) == "EINVAL"
    os.close(folder)


def renamed(first, second):
    """A file that was closed is let go of a moment later."""
    try:
        os.rename(first, second)
    except PermissionError:
        return False
    return True


def tokens_of(server):
    return {name: server.signs_in(name).token for name in ("alice", "bob", "dave")}


@pytest.mark.parametrize("ends", ["stops", "is_killed"])
def test_a_whole_day_and_the_day_after(server, ends):
    day = Day(server, tokens_of(server))
    for step in STEPS[:-1]:
        assert day.does(step), server.log
    assert server.readiness() == {"status": "ok", "findings": []}
    getattr(server, ends)()
    server.starts()
    is_kept(day)
    alice = server.signs_in("alice")
    assert alice.unchecks(alice.checks(SECOND).session).session
    server.restarts()
    assert server.readiness() == {"status": "ok", "findings": []}
    assert "whole" in server.runs("audit", "verify").is_done()


@only_long
def test_a_report_that_somebody_has_open_is_written_when_they_let_go(server, mount, alice):
    before = alice.unchecks(alice.checks(FIRST).session).session
    eventually(lambda: server.share.has(before))
    mount.has(trouble("EBUSY", "open", "rename", "unlink", on=server.share.file().name))
    after = alice.unchecks(alice.checks(FIRST).session).session
    assert eventually(lambda: server.findings("share"))
    mount.heals()
    eventually(lambda: server.share.has(before, after))
    eventually(lambda: server.readiness()["status"] == "ok")


def test_a_program_that_reads_a_report_does_not_keep_it_from_being_written(server, mount, alice):
    """A reader that shares what it reads, yet keeps the file from being moved."""
    ended = [alice.unchecks(alice.checks(FIRST).session).session]
    eventually(lambda: server.share.has(*ended))
    script = "import sys; file = open(sys.argv[1], 'rb'); print('open', flush=True); sys.stdin.read()"
    for report in (mount.mount / "audit").glob("*.csv"):
        reader = [sys.executable, "-c", script, str(report)]
        with subprocess.Popen(reader, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reading:
            assert reading.stdout.readline() == "open\n"
            ended.append(alice.unchecks(alice.checks(FIRST).session).session)
            eventually(lambda: server.share.has(*ended))
            reading.stdin.close()
    eventually(lambda: server.readiness()["status"] == "ok")
    assert "whole" in server.runs("audit", "verify").is_done()


def test_a_backup_is_taken_and_brought_back(server, mount, alice):
    held = alice.checks(FIRST).session
    server.runs("backup", str(mount.mount / "backup")).is_done()
    server.stops()
    shutil.rmtree(server.data_dir)
    server.runs("restore", str(mount.mount / "backup")).is_done()
    server.starts()
    assert server.signs_in("bob").board()[FIRST]["sessions"] == [held]
