"""The share with its weekly reports, as an auditor finds it."""

import csv
import io
from datetime import datetime

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HEADER = "main,sub,user,connected_at,disconnected_at,duration_s,ended_by,note,session_id"
COLUMNS = HEADER.split(",")


class Share:
    """The folder of the reports."""

    def __init__(self, folder):
        self.folder = folder

    def files(self):
        """The reports' files, earliest week first."""
        return sorted(self.folder.glob("audit-*.csv"))

    def file(self):
        """The one report that there is."""
        files = self.files()
        assert len(files) == 1, files
        return files[0]

    def rows(self):
        """Every row of every report, each proved to stand where and how it must."""
        return [row for file in self.files() for row in rows_of(file.read_bytes(), file.name)]

    def row(self, session):
        """The row of a session; exactly one."""
        found = [row for row in self.rows() if row["session_id"] == session["id"]]
        assert len(found) == 1, f"{len(found)} rows of {session['id']}"
        return found[0]

    def has(self, *sessions):
        """Whether each session has exactly one row."""
        ids = [row["session_id"] for row in self.rows()]
        return all(ids.count(session["id"]) == 1 for session in sessions)

    def checkpoint(self):
        """The checkpoint of the one report that there is."""
        return self.file().with_suffix(".checkpoint")

    def is_signed(self):
        """Whether the report is signed as it is, by its own checkpoint and the ledger's."""
        holds = f"holds {self.file().stat().st_size} bytes"
        notes = (self.checkpoint(), self.folder / "ledger.checkpoint")
        return all(note.exists() and holds in note.read_text() for note in notes)


def rows_of(content, name):
    """The rows of a report that nobody edited."""
    if not content:
        return []
    assert content.startswith(BYTE_ORDER_MARK + HEADER.encode() + b"\r\n"), content[:120]
    assert content.endswith(b"\r\n"), content[-120:]
    text = content.removeprefix(BYTE_ORDER_MARK).decode()
    assert text.count("\n") == text.count("\r\n"), "a line does not end with CR LF"
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    for row in rows:
        assert list(row) == COLUMNS and None not in row.values(), row
        assert report_of(row["disconnected_at"]) == name, row
    return rows


def report_of(time):
    """The name of the report for that local time."""
    week = datetime.fromisoformat(time).isocalendar()
    return f"audit-{week.year}-W{week.week:02}.csv"
