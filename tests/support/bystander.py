"""Somebody who works on while others attack."""

import threading
import time
from pathlib import Path

# What the bystander does a second: under the limit of commands of an account.
PAUSE_SECONDS = 0.4

# An answer that takes longer than this, in seconds, is none; a busy machine has room below it.
NO_ANSWER = 20.0

# What a server may have grown by when an attack is over, in MiB: buffers that it keeps for later.
MAY_GROW_MIB = 96


def memory_mib(process):
    """What a process holds of the memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


class Bystander:
    """Checks and unchecks a line again and again, and takes the time."""

    def __init__(self, server, name="bob", connection="vpn main 2;vpn sub 2"):
        self.server = server
        self.person = server.signs_in(name)
        self.connection = connection
        self.took = []
        self.problems = []
        self.done = threading.Event()
        self.memory = memory_mib(server.process)
        self.thread = threading.Thread(target=self._works, daemon=True)
        self.thread.start()

    def _works(self):
        while not self.done.wait(PAUSE_SECONDS):
            begun = time.monotonic()
            try:
                session = self.person.checks(self.connection).session
                self.person.unchecks(session).is_done()
            except Exception as problem:  # whatever it is, the test names it
                self.problems.append(repr(problem))
            self.took.append((time.monotonic() - begun) / 2)

    def was_undisturbed(self):
        """Ends, and asserts that all went on: the process, the work, and the memory."""
        self.done.set()
        self.thread.join(NO_ANSWER)
        assert self.server.process.poll() is None, self.server.log
        assert "panicked" not in self.server.log
        assert not self.problems, self.problems[:3]
        took = sorted(self.took)
        p99 = took[int(len(took) * 0.99)] if took else 0.0
        grown = memory_mib(self.server.process) - self.memory
        print(f"bystander: {len(took)} rounds, p99 {p99 * 1000:.0f} ms, memory {grown:+.0f} MiB")
        assert p99 < NO_ANSWER
        assert grown < MAY_GROW_MIB, f"{grown:.0f} MiB more than before"
