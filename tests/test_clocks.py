"""Weeks and clocks: the right file, whatever the clock does. The server's clock is set by `faketime`."""

import glob
import shutil

import pytest

from support.reports import rows_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")

pytestmark = pytest.mark.skipif(not shutil.which("faketime") or not LIBRARIES, reason="there is no faketime")


class Clock:
    """The clock of a server, which stands where it is set."""

    def __init__(self, folder):
        self.file = folder / "clock"

    def settings(self):
        return {
            "LD_PRELOAD": LIBRARIES[0],
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }

    def shows(self, time):
        """Sets it; time stands still there."""
        beside = self.file.with_suffix(".new")
        beside.write_text(f"{time}\n")
        beside.replace(self.file)


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


def test_years_ends_both_changes_of_the_clock_and_one_set_back(make_server, clock):
    clock.shows("2026-10-25 00:30:00")
    server = make_server(TIMEZONE="Europe/Berlin", JWT_MINUTES="1440", **clock.settings()).starts()

    def session(begin, end):
        clock.shows(begin)
        alice = server.logs_in("alice", "alice knows a long password").is_done()
        alice = type(server.signs_in("alice"))(server.url, "alice", alice["token"])
        begun = alice.checks(FIRST).session
        clock.shows(end)
        return alice.unchecks(begun).session

    for begin, end, week, seconds, shown in [
        # In winter's night two hours bear the same name.
        ("2026-10-25 00:30:00", "2026-10-25 01:30:00", "2026-W43", 3600, ("02:30:00+02:00", "02:30:00+01:00")),
        # Set back an hour: nothing is negative.
        ("2026-10-25 12:30:00", "2026-10-25 11:30:00", "2026-W43", 0, ("13:30:00+01:00", "12:30:00+01:00")),
        # Sunday's last second and Monday's first, in Berlin.
        ("2027-01-03 22:00:00", "2027-01-03 22:59:59", "2026-W53", 3599, ("23:00:00+01:00", "23:59:59+01:00")),
        ("2027-01-03 22:59:59", "2027-01-03 23:00:00", "2027-W01", 1, ("23:59:59+01:00", "00:00:00+01:00")),
        # Summer begins at one in UTC.
        ("2027-03-28 00:59:59", "2027-03-28 01:00:00", "2027-W12", 1, ("01:59:59+01:00", "03:00:00+02:00")),
    ]:
        ended = session(begin, end)
        file = server.audit_dir / f"audit-{week}.csv"
        eventually(lambda: file.exists() and ended["id"].encode() in file.read_bytes())
        row = next(row for row in rows_of(file.read_bytes(), file.name) if row["session_id"] == ended["id"])
        assert row["duration_s"] == str(seconds) == str(ended["duration_s"])
        assert (row["connected_at"][11:], row["disconnected_at"][11:]) == shown
    assert len(server.share.files()) == 4
    eventually(lambda: server.runs("audit", "verify").code == 0)
    assert server.stops().runs("audit", "verify").is_done().count("as the ledger says") == 4
