"""The program: what its commands print, and how they end."""

import os
import random
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# A command that takes longer than this, in seconds, hangs.
COMMAND_SECONDS = 30


def binary():
    """The program under test."""
    return os.environ.get("VPN_SESSIONS_BIN", str(REPOSITORY / "target/debug/vpn-sessions"))


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    words: str

    def is_done(self):
        """Asserts that it did what it was told, and gives what it printed."""
        assert self.code == 0, self
        return self.output

    def is_refused(self, *words, code=1):
        """Asserts that it was refused, in words that name these things."""
        assert self.code == code, self
        for word in words:
            assert word in self.words, f"{word!r} is not said in {self.words!r}"
        return self.words


def run(*arguments, settings=(), folder=None, given=""):
    """Runs a command with nothing in its environment but those settings."""
    ended = subprocess.run(
        [binary(), *arguments],
        env=dict(settings),
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def free_port():
    """A port of this machine that nobody uses, out of the range that outgoing calls take theirs from."""
    while True:
        port = random.randint(10_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
