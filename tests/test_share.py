"""The share may be away, edited, torn or full; no session is lost, and none is there twice."""

import os

from support.reports import BYTE_ORDER_MARK, HEADER, rows_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"


def is_over(person, note=""):
    """A session that began and ended."""
    return person.unchecks(person.checks(FIRST, note=note).session).session


def is_written(server, person, *notes):
    """Sessions whose rows have come."""
    sessions = [is_over(person, note) for note in notes or ("a",)]
    eventually(lambda: server.share.has(*sessions))
    return sessions


def test_a_restart_doubles_no_row(server, alice):
    is_written(server, alice, "a", "b", "c")
    before = server.share.file().read_bytes()
    server.restarts()
    [fourth] = is_written(server, alice, "d")
    after = server.share.file().read_bytes()
    assert after.startswith(before)
    assert len(server.share.rows()) == 4
    server.comes_back_after_a_kill()
    is_written(server, alice, "e")
    assert server.share.file().read_bytes().startswith(after)
    assert len(server.share.rows()) == 5


def test_a_share_that_goes_away_and_comes_back_has_everything(server, alice, carol):
    [first] = is_written(server, alice, "before")
    away = server.folder / "away"
    server.audit_dir.rename(away)
    second = is_over(alice, "meanwhile")
    finding = eventually(lambda: server.findings("share"))[0]
    assert "AUDIT_DIR" in finding and str(server.audit_dir) in finding
    assert server.readiness()["status"] == "degraded"
    listed = carol.gets("/api/v1/audit/reports").is_done()["reports"][0]
    assert (listed["rows"], listed["modified"]) == (2, None)
    content = carol.downloads(listed["name"])
    assert [row["note"] for row in rows_of(content, listed["name"])] == ["before", "meanwhile"]
    away.rename(server.audit_dir)
    eventually(lambda: server.share.has(first, second))
    eventually(lambda: server.readiness()["status"] == "ok")
    assert server.share.file().read_bytes() == content


def test_a_server_starts_without_its_share(make_server):
    server = make_server()
    server.audit_dir.write_text("a file where the folder belongs")
    server.starts()
    ended = is_over(server.signs_in("alice"))
    assert eventually(lambda: server.findings("share"))
    server.audit_dir.unlink()
    server.audit_dir.mkdir()
    eventually(lambda: server.share.has(ended))


def test_a_file_that_was_removed_is_written_anew(server, alice):
    sessions = is_written(server, alice, "a", "b")
    before = server.share.file().read_bytes()
    server.share.file().unlink()
    eventually(lambda: server.share.has(*sessions))
    assert server.share.file().read_bytes() == before


def test_a_file_that_was_removed_while_the_server_was_down_is_written_anew(server, alice):
    sessions = is_written(server, alice, "a", "b")
    before = server.share.file().read_bytes()
    server.stops()
    server.share.file().unlink()
    server.starts()
    eventually(lambda: server.share.files() and server.share.has(*sessions))
    assert server.share.file().read_bytes() == before


def cut(file, size):
    os.truncate(file, size)


def test_a_torn_last_row_is_completed(server, alice):
    is_written(server, alice, "a", "b")
    file = server.share.file()
    whole = file.read_bytes()
    cut(file, len(whole) - 20)
    eventually(lambda: file.read_bytes() == whole)


def test_a_file_torn_anywhere_is_whole_after_a_start(server, alice):
    is_written(server, alice, "a", "b")
    file = server.share.file()
    whole = file.read_bytes()
    for size in (0, 2, 40, len(whole) // 2, len(whole) - 1):
        server.stops()
        cut(file, size)
        server.starts()
        eventually(lambda: file.read_bytes() == whole)


def test_what_others_wrote_stays_and_rows_come_behind_it(server, alice):
    is_written(server, alice, "a")
    file = server.share.file()
    edited = file.read_bytes() + b"a remark,of the auditor\r\n"
    file.write_bytes(edited)
    second = is_over(alice, "b")
    eventually(lambda: second["id"].encode() in file.read_bytes())
    after = file.read_bytes()
    assert after.startswith(edited)
    assert after.count(second["id"].encode()) == 1
    assert after.count(b"\r\n") == 4


def test_a_row_that_somebody_edited_is_not_overwritten(server, alice):
    [first] = is_written(server, alice, "wrong")
    file = server.share.file()
    edited = file.read_bytes().replace(b"wrong", b"right")
    file.write_bytes(edited)
    second = is_over(alice, "b")
    eventually(lambda: second["id"].encode() in file.read_bytes())
    server.restarts()
    third = is_over(alice, "c")
    eventually(lambda: third["id"].encode() in file.read_bytes())
    assert file.read_bytes().startswith(edited)
    assert [row["note"] for row in server.share.rows()] == ["right", "b", "c"]


def test_a_file_of_others_keeps_its_content_and_header(make_server):
    server = make_server().starts()
    alice = server.signs_in("alice")
    [first] = is_written(server, alice, "a")
    file = server.share.file()
    server.stops()
    foreign = BYTE_ORDER_MARK + b"Verbindung;Benutzer\r\nUlm;eve"
    file.write_bytes(foreign)
    server.starts()
    second = is_over(alice, "b")
    eventually(lambda: second["id"].encode() in file.read_bytes())
    after = file.read_bytes()
    assert after.startswith(foreign + b"\r\n")
    assert HEADER.encode() not in after
    assert after.count(first["id"].encode()) == after.count(second["id"].encode()) == 1


def test_other_files_of_the_share_are_left_alone(server, alice):
    names = ("notes.txt", "audit-2026-W99.csv", "audit.csv")
    for name in names:
        (server.audit_dir / name).write_text("mine")
    ended = is_over(alice)
    eventually(lambda: any(ended["id"].encode() in file.read_bytes() for file in server.share.files()))
    assert all((server.audit_dir / name).read_text() == "mine" for name in names)


def test_a_session_that_ended_while_the_share_was_away_comes_after_a_kill(server, alice):
    away = server.folder / "away"
    server.audit_dir.rename(away)
    ended = is_over(alice, "meanwhile")
    server.is_killed()
    away.rename(server.audit_dir)
    server.starts()
    eventually(lambda: server.share.has(ended))
