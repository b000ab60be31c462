"""A disk of its own that can lose its power: ext4 in a file, behind a loop device."""

import fcntl
import functools
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from support.waiting import eventually

# EXT4_IOC_SHUTDOWN of linux/ext4.h, and its flag that not even the journal is written any more.
SHUTDOWN = 0x8004587D
NOT_EVEN_THE_JOURNAL = 2

DISK_BYTES = 64 * 1024 * 1024

# How long making and mounting may take, in seconds.
COMMAND_SECONDS = 60


@functools.cache
def why_not():
    """Why no such disk can be made here, or nothing."""
    if os.geteuid() != 0:
        return "only root may mount a disk in a file"
    missing = [name for name in ("mkfs.ext4", "mount", "umount") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} is not installed"
    with tempfile.TemporaryDirectory() as folder:
        disk = PowerlessDisk(Path(folder) / "tried")
        try:
            disk.is_made().mounts()
            disk.loses_power()
        except (OSError, subprocess.CalledProcessError) as error:
            words = getattr(error, "stderr", None) or str(error)
            return f"the kernel does not let a disk in a file be mounted, or lose its power: {words.strip()}"
        finally:
            disk.unmounts()
    return ""


class PowerlessDisk:
    """The disk: `mount` is where it is seen."""

    def __init__(self, folder):
        self.image, self.mount = folder / "image", folder / "mount"
        self.mount.mkdir(parents=True)

    def is_made(self):
        with open(self.image, "wb") as image:
            image.truncate(DISK_BYTES)
        _run("mkfs.ext4", "-q", "-F", self.image)
        return self

    def mounts(self):
        _run("mount", "-o", "loop", self.image, self.mount)
        return self

    def loses_power(self):
        """Nothing reaches the disk from here on; what was not synced is gone."""
        folder = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NOT_EVEN_THE_JOURNAL))
        finally:
            os.close(folder)

    def comes_back(self):
        """Unmounts, and mounts again: the journal is read as after a loss of power."""
        self.unmounts()
        return self.mounts()

    def unmounts(self):
        """Leaves no mount and no loop device behind."""
        if os.path.ismount(self.mount):
            eventually(self._is_unmounted)

    def _is_unmounted(self):
        subprocess.run(["umount", self.mount], capture_output=True, timeout=COMMAND_SECONDS)
        return not os.path.ismount(self.mount)


def _run(*command):
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=COMMAND_SECONDS)
