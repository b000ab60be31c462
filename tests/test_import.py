"""`audit import`: what another tool kept comes once, marked as what it is, and what cannot come is named."""

import hashlib
import json

import pytest

from support.disk import content_of, newest_segment
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"

# As the tool before wrote its weeks: local times, semicolons.
WEEK = """\
vpn_main;vpn_sub;user;connected;disconnected
vpn main 1;vpn sub 1;alice;16.11.2025 10:00:00;16.11.2025 11:30:00
vpn main 1;vpn sub 2;Zoë;17.11.2025 08:15:00;17.11.2025 08:20:00
gone;away;mallory;18.11.2025 23:00:00;19.11.2025 01:00:00
"""

BROKEN_LINES = """\
vpn main 1;;alice;20.11.2025 10:00:00;20.11.2025 11:30:00
vpn main 1;vpn sub 1;alice;20.11.2025 11:00:00;20.11.2025 10:00:00
vpn main 1;vpn sub 1;alice;20.11.2025 11:00:00;
vpn main 1;vpn sub 1;alice;16.11.2025 10:00:00;16.11.2025 11:30:00
"""


@pytest.fixture
def stopped(make_server):
    """A server that has run, with a session of its own, and is stopped."""
    server = make_server(TIMEZONE="Europe/Berlin").starts()
    alice = server.signs_in("alice")
    server.session = alice.unchecks(alice.checks(FIRST).session).session
    eventually(lambda: server.share.has(server.session))
    return server.stops()


@pytest.fixture
def week(tmp_path):
    """A file of the tool before."""
    path = tmp_path / "week 46.csv"
    path.write_text(WEEK)
    return path


def imports(server, *arguments):
    return server.runs("audit", "import", *map(str, arguments))


def found(server):
    """What the command line finds of other tools."""
    sessions = json.loads(server.runs("audit", "list", "--json").is_done())
    return [session for session in sessions if session["imported"]]


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(stopped, week):
    before = content_of(stopped.folder)
    for arguments in ([week], [week, "--dry-run"]):
        output = imports(stopped, *arguments).is_done()
        assert "3 sessions to import, 0 lines skipped" in output
        assert "read with ';' between cells" in output and "main,sub,user,connected_at,disconnected_at" in output
        assert "dry run" in output and "--yes" in output
    assert content_of(stopped.folder) == before
    imports(stopped, week, "--dry-run", "--yes").is_refused(code=2)


def test_a_dry_run_needs_neither_a_stopped_server_nor_a_ledger(stopped, week, make_server):
    stopped.starts()
    assert "3 sessions to import" in imports(stopped, week).is_done()
    imports(stopped, week, "--yes").is_refused("stop the server first")
    nothing_yet = make_server(seed=None)
    assert "3 sessions to import" in imports(nothing_yet, week).is_done()
    assert not nothing_yet.data_dir.exists()


def test_imported_sessions_are_found_and_marked(stopped, week):
    assert "3 sessions imported, 0 lines skipped" in imports(stopped, week, "--yes").is_done()
    sha256 = hashlib.sha256(week.read_bytes()).hexdigest()
    stopped.starts()
    carol = stopped.signs_in("carol")
    page = carol.gets("/api/v1/sessions?to=2025-12-31").is_done()["sessions"]
    assert [session["user"] for session in page] == ["mallory", "Zoë", "alice"]
    alice = page[2]
    assert len(alice.pop("id")) == 32
    assert alice == {
        "connection": FIRST,
        "user": "alice",
        "since": "2025-11-16T09:00:00.000Z",
        "ended_at": "2025-11-16T10:30:00.000Z",
        "duration_s": 5400,
        "note": "",
        "source": "import",
        "unconfirmed": None,
        "imported": True,
        "origin": {"file": "week 46.csv", "sha256": sha256, "line": 2},
    }
    exported = carol.gets("/api/v1/sessions?format=csv&user=zo%C3%AB").content.decode("utf-8-sig").splitlines()
    assert exported[1].startswith("vpn main 1,vpn sub 2,Zoë,2025-11-17T08:15:00+01:00,2025-11-17T08:20:00+01:00,300,,,")
    assert carol.gets("/api/v1/audit/verify").is_done()["is_whole"]


def test_the_ledger_keeps_each_row_as_it_was(stopped, week):
    imports(stopped, week, "--yes").is_done()
    records = [json.loads(line) for line in newest_segment(stopped, "audit").read_text().splitlines()]
    rows = [record["body"]["row"] for record in records if record["kind"] == "imported"]
    assert rows == [line.split(";") for line in WEEK.splitlines()[1:]]


def test_board_and_weekly_reports_are_not_touched(stopped, week):
    reports = content_of(stopped.audit_dir)
    imports(stopped, week, "--yes").is_done()
    stopped.starts()
    alice = stopped.signs_in("alice")
    assert all(not connection["sessions"] for connection in alice.board().values())
    session = alice.unchecks(alice.checks(FIRST).session).session
    eventually(lambda: stopped.share.has(stopped.session, session))
    assert sorted(content_of(stopped.audit_dir)) == sorted(reports), "no report of another week"
    assert len(stopped.share.rows()) == 2
    stopped.runs("audit", "verify").is_done()


def test_nothing_comes_twice(stopped, week, tmp_path):
    imports(stopped, week, "--yes").is_done()
    before = content_of(stopped.data_dir / "ledger")
    again = imports(stopped, week, "--yes").is_done()
    assert "0 sessions imported, 3 lines skipped" in again
    assert "lines 2-4: the ledger has this session already" in again and "nothing that the ledger lacks" in again
    saved = tmp_path / "saved by a spreadsheet.csv"
    saved.write_text(WEEK.replace(";", ",").replace("Zoë", "ZOË"), encoding="utf-8-sig")
    assert "0 sessions to import" in imports(stopped, saved).is_done()
    assert content_of(stopped.data_dir / "ledger") == before
    assert len(found(stopped)) == 3


def test_our_own_reports_bring_nothing_that_the_ledger_has_and_come_back_where_it_was_lost(stopped, make_server):
    report = stopped.share.file()
    assert "0 sessions to import, 1 lines skipped" in imports(stopped, report).is_done()
    afresh = make_server(seed=None)
    imports(afresh, report, "--yes").is_done()
    [session] = found(afresh)
    assert (session["id"], session["ended_by"]) == (stopped.session["id"], "alice")


def test_reports_of_a_lost_ledger_are_known_once_they_were_imported(stopped, make_server):
    report = stopped.share.file()
    before = report.read_bytes()
    afresh = make_server(TIMEZONE="Europe/Berlin")
    earlier = afresh.audit_dir / "audit-2020-W53.csv"
    for path in (earlier, afresh.audit_dir / report.name):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(before)
    unknown = lambda: "reports_unknown" in [finding["code"] for finding in afresh.readiness()["findings"]]
    afresh.starts()
    eventually(unknown)
    afresh.stops()
    imports(afresh, report, "--yes").is_done()
    afresh.starts()
    alice = afresh.signs_in("alice")
    session = alice.unchecks(alice.checks(FIRST).session).session
    here = afresh.audit_dir / report.name
    eventually(lambda: session["id"].encode() in here.read_bytes() and not unknown())
    assert here.read_bytes().startswith(before) and before.count(stopped.session["id"].encode()) == 1
    assert here.read_bytes().count(b"\n") == 3
    assert earlier.read_bytes() == before
    afresh.stops()
    told = afresh.runs("audit", "verify").output
    assert "the ledger knows no such session" not in told and f"{report.name}: as the ledger says, 2 rows" in told


def test_each_line_that_is_skipped_says_why(stopped, week):
    week.write_text(WEEK + BROKEN_LINES)
    output = imports(stopped, week, "--yes").is_done()
    assert "3 sessions imported, 4 lines skipped" in output
    for words in [
        "skipped line 5: sub is missing",
        "skipped line 6: the session ends before it begins",
        "skipped line 7: it has no end",
        "skipped line 8: the same session as line 2",
    ]:
        assert words in output, output
    assert len(found(stopped)) == 3


def test_columns_can_be_said_and_old_letters_are_read_aloud(stopped, week):
    rows = WEEK.splitlines(keepends=True)[1:]
    week.write_text("".join(rows), encoding="cp1252")
    assert "name the columns" in imports(stopped, week).is_refused("week 46.csv", "--columns")
    output = imports(stopped, week, "--columns", "main,sub,user,from,to", "--yes").is_done()
    assert "Windows-1252" in output and "no header line" in output
    assert "Zoë" in [session["user"] for session in found(stopped)]
    imports(stopped, week, "--columns", "main,colour").is_refused("--columns", '"colour" is no column')


def test_a_file_that_cannot_be_read_keeps_no_other_from_coming(stopped, week, tmp_path):
    other = tmp_path / "workbook.csv"
    other.write_bytes(b"PK\0\0")
    done = imports(stopped, other, tmp_path / "missing.csv", week, "--yes")
    assert done.code == 1
    assert "workbook.csv: it is no text file" in done.words and "missing.csv: cannot be read" in done.words
    assert len(found(stopped)) == 3


def test_an_import_that_was_cut_off_is_completed(stopped, tmp_path):
    many = tmp_path / "many.csv"
    lines = [f"m,s {number},alice,2025-11-16T10:00:00Z,2025-11-16T11:00:00Z" for number in range(2_000)]
    many.write_text("\n".join(["main,sub,user,from,to", *lines]))
    imports(stopped, many, "--yes").is_done()
    segment = newest_segment(stopped, "audit")
    content = segment.read_bytes()
    segment.write_bytes(content[: len(content) * 2 // 3])
    kept = len(found(stopped))
    assert 0 < kept < 2_000
    assert f"{2_000 - kept} sessions imported" in imports(stopped, many, "--yes").is_done()
    sessions = found(stopped)
    assert len(sessions) == len({session["id"] for session in sessions}) == 2_000
    stopped.starts().stops()
