"""strace beside a server: it tells which calls change the disk, and makes one of them the last, or fail."""

import functools
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support import program
from support.waiting import eventually

# The calls that change what is on a disk.
NAMING = ("openat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat")
WRITING = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate")

# How long strace may take to let go, in seconds.
ENDS_WITHIN = 20

LINE = re.compile(r"^\d+ +(?P<call>\w+)\((?P<rest>.*)$")
NAME = re.compile(r'"(?P<path>/[^"]*)"')
DESCRIPTOR = re.compile(r"^\d+<(?P<path>/[^>]*)>")


@functools.cache
def why_not():
    """Why nothing can be traced here, or nothing."""
    if not shutil.which("strace"):
        return "strace is not installed"
    with subprocess.Popen(["sleep", str(ENDS_WITHIN)]) as stranger:
        command = ["strace", "-qq", "-o", os.devnull, "-p", str(stranger.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracing:
            eventually(lambda: tracing.poll() is not None or _is_traced(stranger.pid))
            refused = tracing.poll() is not None
            tracing.terminate()
            words = tracing.stderr.read().strip()
        stranger.kill()
    return f"the kernel does not let strace trace: {words}" if refused else ""


@dataclass(frozen=True)
class Point:
    """A call that changes the disk: the how-manieth of its kind on that path."""

    call: str
    path: Path
    number: int = 1

    def __str__(self):
        return f"{self.call} {self.number} of {self.path}"


@contextmanager
def beside(server, *options, log=os.devnull):
    """strace at every thread of a running server; lets go in the end."""
    command = ["strace", "-f", "-y", "-qq", "-o", str(log), *options, "-p", str(server.process.pid)]
    tracing = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        eventually(lambda: tracing.poll() is not None or _is_traced(server.process.pid))
        assert tracing.poll() is None or server.process.poll() is not None, tracing.stderr.read()
        yield
    finally:
        # On SIGTERM it detaches, and the server goes on.
        tracing.terminate()
        try:
            tracing.wait(timeout=ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            # Over a server that was killed it may wait for ever; then the kernel lets go.
            tracing.kill()
            tracing.wait()
        tracing.stderr.close()


def launched(server, *options, log=os.devnull):
    """Launches a server that is traced from its first call on; the server stays the test's own child."""
    with open(server.folder / "log", "ab") as words:
        command = ["strace", "-D", "-f", "-y", "-qq", "-o", str(log), *options, "--", program.binary()]
        server.process = subprocess.Popen(
            command, env=server.settings, cwd=server.folder, stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
    return server.process


def watching():
    """What makes strace tell every call that could change a disk."""
    return ["-e", "trace=" + ",".join(NAMING + WRITING)]


def injecting(calls, what, paths):
    """What makes strace do something to calls on those paths."""
    calls = ",".join(calls)
    return ["-e", f"trace={calls}", "-e", f"inject={calls}:{what}", *(f"-P{path}" for path in paths)]


def failing(errors, paths, when="1+"):
    """What makes strace let calls fail on those paths: each with its error, the first time or from then on."""
    injected = [f"inject={call}:error={error}:when={when}" for call, error in errors.items()]
    options = [word for inject in injected for word in ("-e", inject)]
    return ["-e", "trace=" + ",".join(errors), *options, *(f"-P{path}" for path in paths)]


def killing(point):
    """What makes strace kill the server before that call happens."""
    return injecting([point.call], f"signal=KILL:when={point.number}", [point.path])


def points_of(log, folders):
    """The calls in a log that changed what is below those folders, in their order."""
    seen, points = {}, []
    for line in log.read_text(errors="replace").splitlines():
        found = _changed(line)
        if found and any(Path(found[1]).is_relative_to(folder) for folder in folders):
            seen[found] = seen.get(found, 0) + 1
            points.append(Point(found[0], Path(found[1]), seen[found]))
    return points


def _changed(line):
    """The call of a line and the path that it changed, where it changed any."""
    told = LINE.match(line)
    if not told:
        return None
    call, rest = told["call"], told["rest"]
    if call == "openat" and not re.search(r"O_CREAT|O_TRUNC", rest):
        return None
    named = NAME.search(rest) if call in NAMING else DESCRIPTOR.match(rest)
    return (call, named["path"]) if named else None


def _is_traced(pid):
    """Whether every thread of a process has its tracer."""
    try:
        threads = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except FileNotFoundError:
        return False
    return all("TracerPid:\t0\n" not in status for status in threads)
