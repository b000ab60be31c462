"""A file system in user space that passes everything on to a folder, and does as it is ordered.

A process of its own: `passing_file_system.py MOUNTPOINT FOLDER [smb]`. Orders come as lines of JSON on standard
input, each answered by a line: `{"orders": [...]}` sets what happens to calls, `{"ask": "hanging"}` tells how many
calls hang, `{"cut": true}` is a loss of power: what was not synced is gone, and so is the file system.

An order: `{"calls": [...], "does": "EIO" | "hang" | "half" | "forget", "times": n or null, "on": part of a path}`.
"""

import ctypes
import errno
import json
import os
import sys
import threading
import time
from pathlib import Path

import mfusepy

# How often a call that hangs looks whether it still has to, in seconds.
LOOK_EVERY = 0.01

# How many calls may be under way, those that hang among them.
MOST_CALLS = 40

# What SMB keeps of a time, in nanoseconds.
SMB_GRAIN = 2_000_000_000


class Surviving:
    """What survives a loss of power, as strictly as POSIX allows: contents as last synced, and names as last synced."""

    def __init__(self, root):
        self.root = root
        self.contents = {}
        self.names = {}
        self.forgotten = {}
        for folder, _, files in os.walk(root):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.sync(file.fileno())
            self.sync_folder(folder)

    def begin(self, fd):
        """A file is made; its number may have been another's."""
        number = os.fstat(fd).st_ino
        self.contents[number] = b""
        self.forgotten[number] = []

    def sync(self, fd):
        number = os.fstat(fd).st_ino
        content = bytearray(os.pread(fd, os.fstat(fd).st_size, 0))
        for begin, end in self.forgotten.get(number, []):
            content[begin:end] = bytes(min(end, len(content)) - begin)
        # What was forgotten at the end is no part of the file.
        lost = [begin for begin, end in self.forgotten.get(number, []) if end >= len(content)]
        self.contents[number] = bytes(content[: min(lost, default=len(content))])

    def forget(self, fd):
        """A sync failed: what it was to keep will never be kept, though a later one may say so."""
        stat = os.fstat(fd)
        kept = len(self.contents.get(stat.st_ino, b""))
        self.forgotten.setdefault(stat.st_ino, []).append((kept, stat.st_size))

    def sync_folder(self, folder):
        entries = [entry for entry in os.scandir(folder)]
        self.names[folder] = {entry.name: entry.inode() for entry in entries if entry.is_file()}
        self.names[folder] |= {entry.name: None for entry in entries if entry.is_dir()}

    def is_all_there_is(self):
        """Makes the folder what survived."""
        for folder, _, files in os.walk(self.root):
            for name in files:
                os.unlink(os.path.join(folder, name))
        for folder, names in self.names.items():
            for name, number in names.items():
                if number is not None and os.path.isdir(folder):
                    Path(folder, name).write_bytes(self.contents.get(number, b""))
        self._lose_folders()

    def _lose_folders(self):
        for folder, folders, _ in os.walk(self.root, topdown=False):
            for name in folders:
                if name not in self.names.get(folder, {}):
                    _remove_tree(os.path.join(folder, name))


def _remove_tree(path):
    for folder, folders, files in os.walk(path, topdown=False):
        for name in files:
            os.unlink(os.path.join(folder, name))
        for name in folders:
            os.rmdir(os.path.join(folder, name))
    os.rmdir(path)


class Orders:
    """What happens to which calls."""

    def __init__(self):
        self.current = []
        self.hanging = 0
        self.is_off = False
        self.lock = threading.Lock()

    def obey(self, call, path):
        """Fails or hangs where that is ordered; gives what else is ordered."""
        if self.is_off:
            raise mfusepy.FuseOSError(errno.EIO)
        order = self._taken(call, path)
        if order is None:
            return None
        if order["does"] == "hang":
            return self._hang(order)
        if order["does"] in ("half", "forget"):
            return order["does"]
        raise mfusepy.FuseOSError(getattr(errno, order["does"]))

    def _taken(self, call, path):
        with self.lock:
            for order in self.current:
                if call in order["calls"] and order.get("on", "") in path and order.get("times") != 0:
                    if order.get("times"):
                        order["times"] -= 1
                    return order
        return None

    def _hang(self, order):
        with self.lock:
            self.hanging += 1
        try:
            while any(order is one for one in self.current):
                # As network file systems do: who is killed does not wait.
                if mfusepy._libfuse.fuse_interrupted():
                    raise mfusepy.FuseOSError(errno.EINTR)
                time.sleep(LOOK_EVERY)
        finally:
            with self.lock:
                self.hanging -= 1


class PassingFileSystem(mfusepy.Operations):
    """The folder, seen through the orders."""

    use_ns = True

    def __init__(self, root, orders, like_smb):
        self.root = root
        self.orders = orders
        self.like_smb = like_smb
        self.surviving = Surviving(root)
        self.open_files = {}
        self.turn = threading.RLock()

    def at(self, path):
        """Where a path is in the folder, with the letters' case that it has there."""
        place = self.root
        for part in [part for part in path.split("/") if part]:
            place = os.path.join(place, self._as_stored(place, part))
        return place

    def _as_stored(self, folder, name):
        if not self.like_smb or os.path.lexists(os.path.join(folder, name)):
            return name
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return next((stored for stored in names if stored.casefold() == name.casefold()), name)

    # Names.

    def getattr(self, path, fh=None):
        self.orders.obey("getattr", path)
        stat = os.fstat(fh) if fh else os.lstat(self.at(path))
        kept = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino", "st_blocks")
        told = {name: getattr(stat, name) for name in kept}
        grain = SMB_GRAIN if self.like_smb else 1
        return told | {
            name: getattr(stat, name + "_ns") // grain * grain for name in ("st_mtime", "st_atime", "st_ctime")
        }

    def readdir(self, path, fh):
        self.orders.obey("readdir", path)
        return [".", "..", *os.listdir(self.at(path))]

    def mkdir(self, path, mode):
        self.orders.obey("mkdir", path)
        os.mkdir(self.at(path), mode)
        return 0

    def rmdir(self, path):
        self.orders.obey("rmdir", path)
        os.rmdir(self.at(path))
        return 0

    def unlink(self, path):
        self.orders.obey("unlink", path)
        self._may_be_moved(path)
        os.unlink(self.at(path))
        return 0

    def rename(self, old, new, flags=0):
        self.orders.obey("rename", new)
        with self.turn:
            self._may_be_moved(old)
            self._may_be_moved(new)
            os.rename(self.at(old), self.at(new))
        return 0

    def _may_be_moved(self, path):
        """Over SMB, a file that somebody has open is neither removed nor renamed nor written over."""
        if self.like_smb and self.at(path) in self.open_files.values():
            raise mfusepy.FuseOSError(errno.EACCES)

    def link(self, target, source):
        raise mfusepy.FuseOSError(errno.ENOTSUP)

    def symlink(self, target, source):
        raise mfusepy.FuseOSError(errno.ENOTSUP)

    def chmod(self, path, mode):
        if not self.like_smb:
            os.chmod(self.at(path), mode)
        return 0

    def chown(self, path, uid, gid):
        return 0

    def utimens(self, path, times=None):
        os.utime(self.at(path), ns=times)
        return 0

    def statfs(self, path):
        self.orders.obey("statfs", path)
        told = os.statvfs(self.root)
        return {name: getattr(told, name) for name in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_frsize")}

    # Contents.

    def open(self, path, flags):
        self.orders.obey("open", path)
        return self._opened(path, flags & ~(os.O_CREAT | os.O_EXCL), 0)

    def create(self, path, mode, fi=None):
        self.orders.obey("create", path)
        fd = self._opened(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        self.surviving.begin(fd)
        return fd

    def _opened(self, path, flags, mode):
        # The offset of each write is told; and to sync a file it has to be read.
        flags &= ~(os.O_APPEND | os.O_WRONLY | os.O_RDWR)
        place = self.at(path)
        fd = os.open(place, flags | os.O_RDWR, mode)
        with self.turn:
            self.open_files[fd] = place
        return fd

    def release(self, path, fh):
        with self.turn:
            self.open_files.pop(fh, None)
        os.close(fh)
        return 0

    def read(self, path, size, offset, fh):
        self.orders.obey("read", path)
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        if self.orders.obey("write", path) == "half":
            data = data[: max(1, len(data) // 2)]
        return os.pwrite(fh, data, offset)

    def truncate(self, path, length, fh=None):
        self.orders.obey("truncate", path)
        os.truncate(fh or self.at(path), length)
        return 0

    def flush(self, path, fh):
        return 0

    def fsync(self, path, datasync, fh):
        if self.orders.obey("fsync", path) == "forget":
            self.surviving.forget(fh)
            raise mfusepy.FuseOSError(errno.EIO)
        with self.turn:
            self.surviving.sync(fh)
        return 0

    def fsyncdir(self, path, datasync, fh):
        self.orders.obey("fsyncdir", path)
        if self.like_smb:
            raise mfusepy.FuseOSError(errno.EINVAL)
        with self.turn:
            self.surviving.sync_folder(self.at(path))
        return 0


def take_orders(files):
    """Does what standard input says; when that ends, so does the process."""
    for line in sys.stdin:
        order = json.loads(line)
        if "orders" in order:
            files.orders.current = order["orders"]
        if order.get("cut"):
            files.orders.is_off = True
            with files.turn:
                files.surviving.is_all_there_is()
        print(json.dumps({"hanging": files.orders.hanging}), flush=True)
    os._exit(0)


def main(mountpoint, folder, *manners):
    mfusepy._libfuse.fuse_interrupted.restype = ctypes.c_int
    files = PassingFileSystem(folder, Orders(), "smb" in manners)
    threading.Thread(target=take_orders, args=[files], daemon=True).start()
    caches = dict(attr_timeout=0, entry_timeout=0, negative_timeout=0, direct_io=True, max_threads=MOST_CALLS)
    mfusepy.FUSE(files, mountpoint, foreground=True, default_permissions=False, **caches)


if __name__ == "__main__":
    main(*sys.argv[1:])
