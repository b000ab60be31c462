"""`backup` and `restore`: what was acknowledged before the backup is there after the way back."""

import threading

import pytest

from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"


@pytest.fixture
def backup(server):
    return server.folder / "backup"


def restored(server, backup):
    """Stops the server, loses its data directory, and starts it from the backup."""
    server.stops()
    server.data_dir.rename(server.folder / "lost")
    server.runs("restore", str(backup)).is_done()
    return server.starts()


def test_a_backup_of_a_running_server_brings_everything_back(server, alice, bob, backup):
    ended = alice.checks(FIRST, note="before").session
    alice.unchecks(ended)
    held = alice.checks(SECOND).session
    message = server.signs_in("dave").hands_in("hello")
    server.runs("backup", str(backup)).is_done()
    bob.checks(FIRST)
    restored(server, backup)
    alice = server.signs_in("alice")
    assert alice.holders(SECOND) == ["alice"] and alice.holders(FIRST) == [], "as it was at the backup"
    assert alice.unchecks(held).is_done()["id"] == held["id"]
    assert server.signs_in("dave").message(message)["message"] == "hello"
    eventually(lambda: server.share.has(held))
    # What bob did came after the backup, and was signed: that it is gone is told until somebody says so.
    assert "cut off or is an older copy" in eventually(lambda: server.findings("share"))[0]
    (server.audit_dir / "ledger.checkpoint").rename(server.folder / "the proof of what is gone")
    eventually(lambda: not server.findings("share"))
    assert "whole" in server.runs("audit", "verify").is_done()


def test_a_backup_under_load_is_how_it_was_at_one_moment(server, alice, backup):
    acknowledged, stop = [], threading.Event()

    def work():
        person = server.signs_in("bob")
        while not stop.is_set():
            session = person.checks(SECOND).session
            person.unchecks(session).is_done()
            acknowledged.append(session)

    working = threading.Thread(target=work)
    working.start()
    eventually(lambda: len(acknowledged) > 20)
    before = list(acknowledged)
    server.runs("backup", str(backup)).is_done()
    stop.set()
    working.join()
    server.audit_dir.rename(server.folder / "reports of before")
    restored(server, backup)
    eventually(lambda: server.share.has(before[-1]))
    rows = [row["session_id"] for row in server.share.rows()]
    known, all_of_them = ({session["id"] for session in sessions} for sessions in (before, acknowledged))
    assert known <= set(rows) <= all_of_them and len(rows) == len(set(rows))


def test_clients_that_knew_more_get_the_whole_board(server, alice, backup):
    before = server.signs_in("alice").gets("/api/v1/connections").is_done()
    server.runs("backup", str(backup)).is_done()
    restored(server, backup)
    after = server.signs_in("alice").gets("/api/v1/connections").is_done()
    assert before["epoch"] != after["epoch"], "its numbers come twice"


def test_nothing_is_written_over(server, backup):
    backup.mkdir()
    (backup / "something").write_text("of somebody")
    server.runs("backup", str(backup)).is_refused("not empty")
    (backup / "something").unlink()
    server.runs("backup", str(backup)).is_done()
    server.runs("restore", str(backup)).is_refused("not empty")
    server.stops()
    server.runs("restore", str(backup)).is_refused("not empty")


def test_a_damaged_backup_is_refused(server, alice, backup):
    alice.checks(FIRST)
    server.runs("backup", str(backup)).is_done()
    segment = next((backup / "ledger" / "audit").iterdir())
    segment.write_bytes(segment.read_bytes().replace(b"alice", b"carol", 1))
    server.stops()
    server.data_dir.rename(server.folder / "lost")
    server.runs("restore", str(backup)).is_refused(segment.name, "line")
    assert not (server.data_dir / "ledger").exists()
    server.runs("restore", str(server.folder / "nowhere")).is_refused("nowhere")
