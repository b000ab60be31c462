"""The weekly reports: a row for each ended session, in the file that its week has."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from support.reports import BYTE_ORDER_MARK, HEADER, report_of, rows_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"


def is_over(person, connection, **wanted):
    """A session that began and ended; as the uncheck told it."""
    return person.unchecks(person.checks(connection, **wanted).session).session


def report_now(server):
    """The one report, when it has come."""
    eventually(server.share.files)
    return server.share.file()


def test_an_uncheck_is_a_row_of_this_weeks_file(server, alice):
    ended = is_over(alice, FIRST, note="ticket 4711")
    eventually(lambda: server.share.has(ended))
    row = server.share.row(ended)
    assert row == {
        "main": "vpn main 1",
        "sub": "vpn sub 1",
        "user": "alice",
        "connected_at": ended["since"][:19] + "Z",
        "disconnected_at": ended["ended_at"][:19] + "Z",
        "duration_s": str(ended["duration_s"]),
        "ended_by": "alice",
        "note": "ticket 4711",
        "session_id": ended["id"],
    }
    assert server.share.file().name == report_of(row["disconnected_at"])


def test_the_file_begins_as_spreadsheets_want_it(server, alice):
    ended = is_over(alice, FIRST)
    eventually(lambda: server.share.has(ended))
    content = server.share.file().read_bytes()
    assert content.startswith(BYTE_ORDER_MARK + HEADER.encode() + b"\r\n")
    assert content.count(HEADER.encode()) == 1
    assert content.count(b"\n") == content.count(b"\r\n") == 2


def test_a_check_alone_is_no_row(server, alice):
    alice.checks(FIRST)
    ended = is_over(alice, SECOND)
    eventually(lambda: server.share.has(ended))
    assert len(server.share.rows()) == 1


def test_who_ended_it_is_told(server, alice, bob, dave):
    by_admin = alice.checks(FIRST).session
    dave.unchecks(by_admin)
    taken_over = alice.checks(FIRST).session
    by_holder = bob.takes_over(FIRST).session
    bob.unchecks(by_holder)
    eventually(lambda: server.share.has(by_admin, taken_over, by_holder))
    told = [server.share.row(session)["ended_by"] for session in (by_admin, taken_over, by_holder)]
    assert told == ["admin:dave", "taken-over:bob", "bob"]


def test_the_last_note_stands_there(server, alice):
    session = alice.checks(FIRST, note="first").session
    alice.notes(session, "second")
    alice.unchecks(session)
    eventually(lambda: server.share.has(session))
    assert server.share.row(session)["note"] == "second"


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A0"])
def test_a_note_is_no_formula(server, alice, note):
    ended = is_over(alice, FIRST, note=note)
    eventually(lambda: server.share.has(ended))
    assert server.share.row(ended)["note"] == "'" + note


def test_names_are_no_formulas_either(make_server):
    server = make_server(sessions="=main;+sub\n", users="@eve\n-mallory\n", BOARD_ACCESS="open").starts()
    eve, mallory = server.signs_in_browser("@eve", ""), server.signs_in_browser("-mallory", "")
    taken = eve.checks("=main;+sub").session
    ended = mallory.unchecks(mallory.takes_over("=main;+sub").session).session
    eventually(lambda: server.share.has(taken, ended))
    row = server.share.row(taken)
    assert (row["main"], row["sub"], row["user"]) == ("'=main", "'+sub", "'@eve")
    assert row["ended_by"] == "taken-over:-mallory"
    assert (server.share.row(ended)["user"], server.share.row(ended)["ended_by"]) == ("'-mallory", "'-mallory")


def test_a_cell_may_hold_what_separates_cells(make_server):
    server = make_server(sessions='"Ulm, Klinikum","PACS ""Nord"""\n').starts()
    alice = server.signs_in("alice")
    note = 'a, "quoted"; note \N{LOCK} äöü'
    ended = is_over(alice, 'Ulm, Klinikum;PACS "Nord"', note=note)
    eventually(lambda: server.share.has(ended))
    row = server.share.row(ended)
    assert (row["main"], row["sub"], row["note"]) == ("Ulm, Klinikum", 'PACS "Nord"', note)


def test_times_and_weeks_are_those_of_the_time_zone(make_server):
    server = make_server(TIMEZONE="Asia/Kolkata").starts()
    ended = is_over(server.signs_in("alice"), FIRST)
    eventually(lambda: server.share.has(ended))
    row = server.share.row(ended)
    for column, told in (("connected_at", ended["since"]), ("disconnected_at", ended["ended_at"])):
        local = datetime.fromisoformat(row[column])
        assert local.utcoffset() == timedelta(hours=5, minutes=30)
        assert local == datetime.fromisoformat(told).replace(microsecond=0)


def test_rows_come_in_the_order_of_the_unchecks(server, alice):
    sessions = [is_over(alice, FIRST, note=str(number)) for number in range(20)]
    eventually(lambda: server.share.has(*sessions))
    assert [row["note"] for row in server.share.rows()] == [str(number) for number in range(20)]


def open_files(server):
    """The files that the server holds open."""
    descriptors = Path(f"/proc/{server.process.pid}/fd").iterdir()
    return [os.readlink(descriptor) for descriptor in descriptors if descriptor.is_symlink()]


def test_no_report_is_kept_open_between_writes(server, alice):
    ended = is_over(alice, FIRST)
    eventually(lambda: server.share.has(ended))
    eventually(lambda: not any(str(server.audit_dir) in path for path in open_files(server)))


# Who may read them.


@pytest.mark.parametrize("name", ["carol", "dave", "promon"])
def test_auditors_and_admins_read_the_reports(server, alice, name):
    ended = is_over(alice, FIRST, note="seen")
    file = report_now(server)
    reader = server.signs_in(name)
    listed = reader.gets("/api/v1/audit/reports").is_done()["reports"]
    assert len(listed) == 1
    assert listed[0].items() >= {"name": file.name, "week": file.stem[6:], "rows": 1}.items()
    assert listed[0]["bytes"] == file.stat().st_size
    table = reader.gets(f"/api/v1/audit/reports/{file.name}?format=json").is_done()
    assert table["columns"] == HEADER.split(",")
    assert [row[-1] for row in table["rows"]] == [ended["id"]]
    assert reader.downloads(file.name) == file.read_bytes()


def test_a_download_is_a_file(server, alice, carol):
    is_over(alice, FIRST)
    file = report_now(server)
    answer = carol.gets(f"/api/v1/audit/reports/{file.name}?format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{file.name}"'
    assert answer.headers["Cache-Control"] == "no-store"


def paths_of(file):
    return [
        "/api/v1/audit/reports",
        f"/api/v1/audit/reports/{file.name}",
        f"/api/v1/audit/reports/{file.name}?format=json",
    ]


def test_nobody_else_reads_a_byte_of_them(server, alice):
    is_over(alice, FIRST)
    for path in paths_of(report_now(server)):
        server.visitor().gets(path).is_refused("unauthorized")
        alice.gets(path).is_refused("forbidden")
        server.signs_in_browser("alice").gets(path).is_refused("forbidden")


def test_a_sign_in_without_a_password_reads_no_report(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    is_over(server.signs_in("alice"), FIRST)
    for path in paths_of(report_now(server)):
        for name in ("carol", "dave"):
            server.signs_in_browser(name, "").gets(path).is_refused("forbidden")
        assert server.signs_in_browser("carol").gets(path).status == 200


def test_what_is_no_report_is_not_found(server, alice, carol):
    is_over(alice, FIRST)
    report_now(server)
    secret = server.audit_dir / "secret.csv"
    secret.write_text("secret")
    for name in (
        "audit-2020-W01.csv",
        "audit-2026-W99.csv",
        "secret.csv",
        "..%2fconfig%2fusers.txt",
        "audit-2026-W48.csv.bak",
    ):
        carol.gets(f"/api/v1/audit/reports/{name}").is_refused("not_found")


def test_a_format_that_is_not_known_is_a_bad_request(server, alice, carol):
    is_over(alice, FIRST)
    carol.gets(f"/api/v1/audit/reports/{report_now(server).name}?format=exe").is_refused("bad_request")


def test_reports_of_several_weeks_are_listed_latest_first(server, alice, carol):
    is_over(alice, FIRST)
    report_now(server)
    earlier = BYTE_ORDER_MARK + HEADER.encode() + b"\r\n"
    for week in ("2020-W53", "2021-W01"):
        (server.audit_dir / f"audit-{week}.csv").write_bytes(earlier)
    listed = carol.gets("/api/v1/audit/reports").is_done()["reports"]
    assert [report["week"] for report in listed[1:]] == ["2021-W01", "2020-W53"]
    assert (listed[2]["from"], listed[2]["to"], listed[2]["rows"]) == ("2020-12-28", "2021-01-03", 0)
    assert rows_of(carol.downloads("audit-2020-W53.csv"), "audit-2020-W53.csv") == []
