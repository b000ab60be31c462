"""`ledger repair`: damage is set aside and named, nothing is deleted, and the server starts again."""

import pytest

from support.disk import content_of, flip, lines_of, newest_segment, segments
from support.server import password_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"


def used(server):
    """A stopped server that was restarted now and then, with something in each stream."""
    for note in ("a", "b"):
        alice, dave = server.signs_in("alice"), server.signs_in("dave")
        for number in range(3):
            alice.unchecks(alice.checks(FIRST, note=f"{note} {number}").session)
        dave.hands_in(note)
        server.signs_in_browser("alice")
        eventually(lambda: server.share.rows())
        server.signs_in("carol").downloads(server.share.files()[0].name)
        server.restarts()
    server.signs_in("alice").checks(SECOND)
    eventually(lambda: len(server.share.rows()) == 6)
    return server.stops()


def aside(server):
    folder = server.data_dir / "ledger" / "damaged"
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names_gap(server, stream):
    """Asserts that `audit verify` names a gap of that stream, and calls its chain whole."""
    printed = server.runs("audit", "verify").output
    lines = printed.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith(f"ledger {stream}: whole"))
    assert "gap: record" in lines[at + 1] and "ledger/damaged" in lines[at + 1], printed


def test_without_damage_it_says_so_and_touches_nothing(server):
    used(server)
    before = content_of(server.data_dir / "ledger")
    for arguments in (("--dry-run",), ()):
        assert "nothing is damaged" in server.runs("ledger", "repair", *arguments).is_done()
        assert content_of(server.data_dir / "ledger") == before


def test_a_running_server_is_not_repaired(server):
    for arguments in (("--dry-run",), ()):
        server.runs("ledger", "repair", *arguments).is_refused(str(server.process.pid), "end it first")


def test_without_a_ledger_it_says_where_it_looked(server, tmp_path):
    server.runs("ledger", "repair", DATA_DIR=tmp_path / "nowhere").is_refused("nowhere", "DATA_DIR")


@pytest.mark.parametrize("stream", ["audit", "relay", "keys", "access"])
def test_a_changed_record_is_set_aside_and_named_for_ever_after(server, stream):
    used(server)
    damaged = newest_segment(server, stream)
    lines = lines_of(damaged)
    flip(damaged, len(lines[0]) + 40)
    changed = b"".join(lines_of(damaged)[1:])
    server.refuses_to_start(str(damaged), "ledger repair")

    before = content_of(server.data_dir)
    said = server.runs("ledger", "repair", "--dry-run").is_done()
    assert "would" in said and damaged.name in said and "lost with it" in said, said
    assert content_of(server.data_dir) == before

    said = server.runs("ledger", "repair").is_done()
    assert "nothing was deleted" in said and f"ledger/damaged/{stream}-{damaged.stem}-line-2.jsonl" in said, said
    assert aside(server) == {f"{stream}-{damaged.stem}-line-2.jsonl": changed}
    assert damaged.read_bytes() == lines[0]
    names_gap(server, stream)

    server.starts()
    assert server.signs_in("dave").checks(FIRST).session
    server.restarts()
    assert server.signs_in("dave").holders(FIRST) == ["dave"]
    names_gap(server, stream)


def test_where_the_only_snapshot_of_the_keys_is_damaged_passwords_are_set_anew(server):
    server.signs_in("alice").checks(FIRST)
    server.stops()
    server.starts().stops()
    # Of what was replaced only the snapshot is left.
    [only] = segments(server, "keys")
    lines = lines_of(only)
    flip(only, len(lines[0]) + 60)
    server.refuses_to_start(str(only), "ledger repair")
    said = server.runs("ledger", "repair").is_done()
    assert "gap: records 1 to" in said, said
    assert "nothing is damaged" in server.runs("ledger", "repair").is_done()

    server.starts()
    assert server.says(only.name, "what came before it is lost"), server.log
    assert server.logs_in("alice", password_of("alice")).status == 401
    server.runs("user", "set-password", "alice", given=password_of("alice")).is_done()
    assert server.signs_in("alice").holders(FIRST) == ["alice"]
    server.restarts()
    assert server.signs_in("alice").holders(FIRST) == ["alice"]
    server.stops()
    printed = server.runs("audit", "verify").output
    assert "ledger keys: whole" in printed and "gap: records 1 to" in printed, printed


def test_numbers_are_never_used_again(server):
    used(server)
    newest = newest_segment(server, "audit")
    last = len(lines_of(newest))
    flip(newest, 40)
    lost = newest.read_bytes()
    highest = max(int(line.split(b",")[0].split(b":")[1]) for line in lines_of(newest))
    epoch = server.runs("ledger", "repair").is_done() and lines_of(newest_segment(server, "audit"))[0]
    assert aside(server)[f"audit-{newest.stem}.jsonl"] == lost and last > 1
    assert int(epoch.split(b",")[0].split(b":")[1]) == highest + 1
    server.starts()
    assert server.signs_in("alice").holders(SECOND) == [], "its check was set aside"


def test_a_missing_segment_and_an_unfinished_repair(server):
    used(server)
    first, missing, *_ = segments(server, "audit")
    missing.rename(server.folder / "missing")
    assert str(first) in server.runs("audit", "verify").output
    assert "nothing was there to be set aside" in server.runs("ledger", "repair").is_done()
    server.starts()
    assert server.signs_in("alice").holders(SECOND) == ["alice"], "what came later is there"
    rows = {row["note"] for row in server.share.rows()}
    assert len(rows) == 6, "the share keeps its rows"
    server.stops()


def test_clients_take_the_whole_board_after_a_repair(server):
    used(server)
    server.starts()
    before = server.signs_in("alice").gets("/api/v1/connections").is_done()
    server.stops()
    flip(newest_segment(server, "audit"), 60)
    server.runs("ledger", "repair").is_done()
    server.starts()
    after = server.signs_in("alice").gets("/api/v1/connections").is_done()
    assert before["epoch"] != after["epoch"]
    server.signs_in("alice").checks(FIRST)
    changed = server.signs_in("alice").gets("/api/v1/connections").is_done()
    assert changed["seq"] > before["seq"], "no number comes twice"
