"""Killed at each call that changes the disk, in turn, a server comes back with all that it acknowledged."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from support import tracing
from support.day import STEPS, Day, is_kept
from support.disk import newest_segment
from support.lengths import sample
from support.server import START_SECONDS
from support.waiting import eventually

pytestmark = pytest.mark.skipif(bool(tracing.why_not()), reason=tracing.why_not())

# At how many points a server is killed by default: some ten seconds.
QUICK_POINTS = 16

# How many servers live and die at the same time.
AT_ONCE = 3

# What a writer does while nothing happens is not at a fixed place in a run.
BY_THE_CLOCK = ("writer", "term", "probe")

# At how many points at least a run passes that is as it was meant: fewer would mean that nothing was seen.
LEAST_POINTS = 30


@dataclass(frozen=True)
class Crash:
    """A point of a run: before which step (none: the start), and which call from there on."""

    step: int | None
    point: tracing.Point

    def __str__(self):
        at = "the start" if self.step is None else STEPS[self.step].__name__
        return f"in {at}, before {self.point}"


@pytest.fixture(scope="module")
def tokens(make_lasting_server):
    """Access tokens that hold at every server, as they have the same key."""
    server = make_lasting_server().starts()
    return {name: server.signs_in(name).token for name in ("alice", "bob", "dave")}


def torn(server):
    """A crash before left half a record: the start has something to mend."""
    segment = newest_segment(server, "keys")
    segment.write_bytes(segment.read_bytes() + b'{"seq":')
    return server


def traced_points(server, log, step):
    """The points of a log, with paths below the server's folder."""
    folders = (server.data_dir, server.audit_dir)
    points = tracing.points_of(log, folders)
    below = [tracing.Point(point.call, point.path.relative_to(server.folder), point.number) for point in points]
    return [Crash(step, point) for point in below if not is_by_the_clock(step, point)]


def is_by_the_clock(step, point):
    """Whether it happens now and then, or follows in its own time; the start and the end have their place."""
    follows = point.path.parent.name == "access" or point.path.name.startswith(BY_THE_CLOCK)
    return step is not None and point.call in tracing.WRITING and follows


def crashes_of_a_start(server):
    """Every point that a start passes."""
    log = server.folder / "start.trace"
    tracing.launched(server, *tracing.watching(), log=log)
    server.is_ready()
    return traced_points(server, log, None)


def crashes_of_a_day(server, tokens):
    """Every point that a whole day passes."""
    day, crashes = Day(server, tokens), []
    for number, step in enumerate(STEPS):
        log = server.folder / f"{number}.trace"
        with tracing.beside(server, *tracing.watching(), log=log):
            day.does(step)
        crashes += traced_points(server, log, number)
    return crashes


def placed(crash, server):
    """What makes strace kill that server there."""
    point = crash.point
    return tracing.killing(tracing.Point(point.call, server.folder / point.path, point.number))


def dies_at_the_start(crash, server):
    """Is killed while it starts; tells whether it was."""
    tracing.launched(server, *placed(crash, server))
    eventually(lambda: server.process.poll() is not None or server.answers(), within=START_SECONDS)
    return server.process.poll() is not None


def dies_in_a_step(crash, server, day):
    """Is killed in a step of its day; tells whether it was."""
    server.starts()
    for step in STEPS[: crash.step]:
        assert day.does(step), server.log
    with tracing.beside(server, *placed(crash, server)):
        lived = day.does(STEPS[crash.step])
    return not lived and server.process.returncode != 0


def is_survived(crash, server, tokens):
    """Dies there, comes back, and has everything; tells whether it died."""
    day = Day(server, tokens)
    died = dies_at_the_start(crash, server) if crash.step is None else dies_in_a_step(crash, server, day)
    server.is_cleared_away()
    server.starts()
    is_kept(day)
    server.is_killed()
    return died


def test_a_server_survives_a_kill_at_every_point(make_server, tokens):
    crashes = crashes_of_a_start(torn(make_server())) + crashes_of_a_day(torn(make_server()).starts(), tokens)
    assert len(crashes) >= LEAST_POINTS, [str(crash) for crash in crashes]
    chosen = sample(crashes, QUICK_POINTS)

    def tried(crash):
        try:
            return is_survived(crash, torn(make_server()), tokens)
        except Exception as problem:
            raise AssertionError(f"killed {crash}: {problem}") from problem

    with ThreadPoolExecutor(AT_ONCE) as pool:
        died = list(pool.map(tried, chosen))
    print(f"{len(crashes)} points, tried {len(chosen)}, died at {sum(died)}")
    missed = [str(crash) for crash, dead in zip(chosen, died, strict=True) if not dead]
    assert len(missed) <= len(chosen) // 5, f"the server passed by: {missed}"
