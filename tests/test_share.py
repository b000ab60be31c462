"""The share may be away, edited, torn or full; no session is lost, and none is there twice."""

import os
import shutil

from support.reports import BYTE_ORDER_MARK, HEADER, rows_of
from support.waiting import BUSY_MACHINE, eventually

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
    assert "AUDIT_DIR" in finding and str(server.audit_dir) not in finding, "folders are for the log"
    assert server.says(str(server.audit_dir))
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


# What is wrong with the share, and when it is said.

# The interface's own promise, in seconds, stretched for a busy machine.
SAID_WITHIN = 5 * BUSY_MACHINE + 5


def codes(server):
    """What is wrong with the share, by its codes."""
    return [finding["code"] for finding in server.readiness()["findings"] if finding["part"] == "share"]


class Hanging:
    """A file that nobody gets to read: a pipe without an end."""

    def __init__(self, path):
        self.path = path
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    def lets_go(self):
        """Whoever waits goes on, and the file is gone."""
        held = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.path.unlink()
        os.close(held)


def test_a_file_that_hangs_is_said_and_nobody_waits_for_it(server, alice, carol):
    [first] = is_written(server, alice, "a")
    report = server.share.file()
    hanging = Hanging(report)
    second = is_over(alice, "b")
    finding = eventually(lambda: [f for f in server.readiness()["findings"] if f["code"] == "share_hangs"])[0]
    assert "AUDIT_DIR" in finding["detail"] and finding["since"]
    third = is_over(alice, "c")
    shown = rows_of(carol.downloads(report.name), report.name)
    assert [row["note"] for row in shown] == ["a", "b", "c"], "the ledger gives it meanwhile"
    hanging.lets_go()
    eventually(lambda: server.share.files() and server.share.has(first, second, third), within=60)
    eventually(lambda: not codes(server), within=60)


def test_a_share_that_hangs_keeps_no_server_from_ending(server, alice):
    [first] = is_written(server, alice, "a")
    hanging = Hanging(server.share.file())
    second = is_over(alice, "b")
    eventually(lambda: "share_hangs" in codes(server))
    server.stops()
    os.unlink(hanging.path)
    server.starts()
    eventually(lambda: server.share.files() and server.share.has(first, second))


def test_many_sessions_of_a_share_that_was_away_come_each_once(server, alice, at_once):
    away = server.folder / "away"
    eventually(lambda: (server.audit_dir / "ledger.checkpoint").exists())
    server.audit_dir.rename(away)
    people = [server.signs_in(name) for name in ("alice", "bob", "carol", "dave")]
    lines = ["vpn main 1;vpn sub 1", "vpn main 1;vpn sub 2", "vpn main 2;vpn sub 1", "vpn main 2;vpn sub 2"]

    def works(person, line):
        return [person.unchecks(person.checks(line).session).session for _ in range(25)]

    done = at_once([lambda person=person, line=line: works(person, line) for person, line in zip(people, lines)])
    away.rename(server.audit_dir)
    eventually(lambda: server.share.files() and server.share.has(*[session for some in done for session in some]))
    assert len(server.share.rows()) == 100


# Checkpoints beside the reports.


def test_a_checkpoint_that_was_removed_is_written_anew(server, alice):
    is_written(server, alice, "a")
    eventually(server.share.is_signed)
    for path in (server.audit_dir / "ledger.checkpoint", server.share.checkpoint()):
        path.unlink()
        eventually(path.exists)
    assert "does not" not in server.runs("audit", "verify").is_done()


def test_a_checkpoint_that_proves_a_ledger_cut_off_is_kept_and_said(server, alice):
    is_written(server, alice, "a", "b")
    eventually(server.share.is_signed)
    server.stops()
    proof = {path.name: path.read_bytes() for path in server.audit_dir.glob("*.checkpoint")}
    assert len(proof) == 2
    segment = sorted((server.data_dir / "ledger" / "audit").glob("*.jsonl"))[-1]
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:-2]))
    assert "does not have" in server.runs("audit", "verify").output
    server.starts()
    eventually(lambda: "checkpoint_ahead" in codes(server))
    alice = server.signs_in("alice")
    is_over(alice, "c")
    detail = next(f["detail"] for f in server.readiness()["findings"] if f["code"] == "checkpoint_ahead")
    assert "cut off" in detail and "speaks of" in detail and "move" in detail
    assert {path.name: path.read_bytes() for path in server.audit_dir.glob("*.checkpoint")} == proof
    for name in proof:
        (server.audit_dir / name).rename(server.folder / name)
    eventually(lambda: "checkpoint_ahead" not in codes(server))
    eventually(lambda: len(list(server.audit_dir.glob("*.checkpoint"))) == 2)


def test_a_lost_data_directory_beside_its_reports_is_said(server, alice):
    is_written(server, alice, "a", "b")
    report = server.share.file()
    eventually(server.share.is_signed)
    signed = server.share.checkpoint()
    before = report.read_bytes()
    earlier = server.audit_dir / "audit-2020-W53.csv"
    earlier.write_bytes(before)
    server.stops()
    proof = signed.read_bytes()
    server.data_dir.rename(server.folder / "lost")
    shutil.copytree(server.folder / "lost", server.data_dir)
    shutil.rmtree(server.data_dir / "ledger" / "audit")
    (server.data_dir / "checkpoint_key").unlink()
    server.starts()
    eventually(lambda: {"reports_unknown", "checkpoint_unknown"} <= set(codes(server)))
    detail = next(f["detail"] for f in server.readiness()["findings"] if f["code"] == "reports_unknown")
    assert report.name in detail or earlier.name in detail
    assert "DATA_DIR" in detail and "audit import" in detail
    assert server.says("reports hold rows of sessions that DATA_DIR does not know")
    alice = server.signs_in("alice")
    third = is_over(alice, "c")
    eventually(lambda: third["id"].encode() in report.read_bytes())
    assert report.read_bytes().startswith(before) and earlier.read_bytes() == before
    assert [row["note"] for row in rows_of(report.read_bytes(), report.name)] == ["a", "b", "c"]
    assert signed.read_bytes() == proof, "what proves the time before is kept"
    eventually(lambda: f"{report.name} (2)" in str(server.findings("share")), within=SAID_WITHIN)
    for path in (earlier, report, signed, server.audit_dir / "ledger.checkpoint"):
        path.rename(server.folder / f"{path.name} of before")
    eventually(lambda: not codes(server))
    assert server.share.has(third), "the file that is new has what this ledger knows"
