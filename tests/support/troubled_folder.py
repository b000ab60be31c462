"""A folder on a file system that can be ordered to fail, hang, tear, and lose."""

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from support.waiting import eventually

PROGRAM = Path(__file__).with_name("passing_file_system.py")

READING = ("getattr", "readdir", "open", "read", "statfs")
CHANGING = ("create", "write", "fsync", "fsyncdir", "truncate", "rename", "unlink", "mkdir", "rmdir")

# How long its process may take to end, in seconds.
ENDS_WITHIN = 20


@functools.cache
def why_not():
    """Why there is no file system in user space here, or nothing."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse here, or it may not be used"
    with tempfile.TemporaryDirectory() as place:
        folder = TroubledFolder(Path(place))
        try:
            folder.mounts()
        except AssertionError as problem:
            return str(problem)
        finally:
            folder.unmounts()
    return ""


class TroubledFolder:
    """The folder: `mount` is where a server sees it, `behind` where a test does, past all trouble."""

    def __init__(self, folder, *manners):
        self.mount, self.behind = folder / "mount", folder / "behind"
        self.manners = manners
        self.process = None
        self.mount.mkdir(parents=True)
        self.behind.mkdir()

    def mounts(self):
        """Serves; again after a loss of power."""
        command = [sys.executable, str(PROGRAM), str(self.mount), str(self.behind), *self.manners]
        with open(self.mount.with_name("words"), "ab") as words:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words, text=True
            )
        eventually(lambda: self.process.poll() is not None or os.path.ismount(self.mount))
        words = self.mount.with_name("words").read_text().strip()
        assert self.process.poll() is None, f"no file system in user space can be mounted: {words[-300:]}"
        return self

    def has(self, *orders):
        """From here on these troubles, and no others."""
        return self._told({"orders": list(orders)})

    def heals(self):
        self.has()

    def hanging(self):
        """How many calls hang just now."""
        return self._told({"ask": "hanging"})["hanging"]

    def loses_power(self):
        """What was not synced is gone, and everybody who has it open as well."""
        self._told({"cut": True})
        self.unmounts()

    def unmounts(self):
        """Leaves no mount and no process behind."""
        if self.process is None:
            return
        subprocess.run(["fusermount3", "-u", "-z", str(self.mount)], capture_output=True, timeout=ENDS_WITHIN)
        self.process.stdin.close()
        try:
            self.process.wait(timeout=ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=ENDS_WITHIN)
        self.process.stdout.close()
        self.process = None

    def _told(self, order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def trouble(does, *calls, times=None, on=""):
    """An order: what happens to those calls."""
    return {"does": does, "calls": list(calls), "times": times, "on": on}
