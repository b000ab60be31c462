"""A data directory that a crash tore is mended and said; one that was damaged is refused."""

import os

import pytest

from support.disk import content_of, flip, lines_of, names_line, newest_segment, segments
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"


def used(server):
    """A stopped server that has something in each stream."""
    alice, dave = server.signs_in("alice"), server.signs_in("dave")
    for note in ("a", "b", "c"):
        alice.unchecks(alice.checks(FIRST, note=note).session)
        dave.hands_in(note)
    alice.checks(SECOND)
    server.signs_in_browser("alice")
    server.signs_in_browser("bob")
    eventually(lambda: len(server.share.rows()) == 3)
    return server.stops()


@pytest.mark.parametrize("torn", [b"{", b'{"seq":99,"at":"2026-', b"\0" * 40, b"\xff\xfe garbage"])
@pytest.mark.parametrize("stream", ["audit", "relay", "keys"])
def test_a_torn_write_is_cut_off_and_said(server, stream, torn):
    used(server)
    segment = newest_segment(server, stream)
    whole = segment.read_bytes()
    segment.write_bytes(whole + torn)
    server.starts()
    assert server.says('"level":"WARN"', str(segment), "cut off"), server.log
    assert segment.read_bytes() == whole
    alice = server.signs_in("alice")
    assert alice.holders(SECOND) == ["alice"]
    assert alice.checks(FIRST).session
    assert len(server.signs_in("dave").gets("/api/v1/messages").is_done()["messages"]) == 3
    assert len(server.share.rows()) == 3
    server.restarts()
    assert server.signs_in("bob").holders(FIRST) == ["alice"]


@pytest.mark.parametrize("missing", [1, 5, 60])
def test_a_last_record_that_was_torn_is_cut_off_and_said(server, missing):
    used(server)
    segment = newest_segment(server, "audit")
    lines = lines_of(segment)
    os.truncate(segment, segment.stat().st_size - missing)
    server.starts()
    assert server.says(str(segment), "cut off"), server.log
    assert segment.read_bytes() == b"".join(lines[:-1])
    alice = server.signs_in("alice")
    assert alice.holders(SECOND) == [], "the check on the torn line is gone"
    assert alice.checks(SECOND).session


def test_a_segment_that_was_hardly_begun_is_passed_over(server):
    used(server)
    last = newest_segment(server, "audit")
    begun = last.with_name(f"{int(last.stem) + 1:06}.jsonl")
    for torn in (b"", b'{"seq":', b"\0" * 100):
        begun.write_bytes(torn)
        server.starts()
        assert server.signs_in("alice").holders(SECOND) == ["alice"]
        server.stops()


def is_refused_untouched(server, path, line):
    """Asserts that a start is refused, names the place, and changes nothing."""
    before = kept(server)
    words = server.refuses_to_start("nothing was changed")
    assert names_line(words, path, line), words
    assert kept(server) == before


def kept(server):
    """The files of the data directory, but for those that say who writes it."""
    return {name: content for name, content in content_of(server.data_dir).items() if not name.startswith("writer/")}


@pytest.mark.parametrize("stream", ["audit", "relay", "keys"])
def test_a_changed_bit_is_refused_with_file_and_line(server, stream):
    used(server)
    segment = newest_segment(server, stream)
    line = len(lines_of(segment)) - 1
    begin = sum(len(text) for text in lines_of(segment)[: line - 1])
    for offset in (begin, begin + 40, begin + len(lines_of(segment)[line - 1]) - 3):
        flip(segment, offset)
        is_refused_untouched(server, segment, line)
        flip(segment, offset)
    server.starts()


def test_a_changed_first_or_last_line_is_refused(server):
    used(server)
    segment = newest_segment(server, "audit")
    lines = lines_of(segment)
    for line, offset in ((1, 30), (len(lines), sum(map(len, lines[:-1])) + 60)):
        flip(segment, offset)
        is_refused_untouched(server, segment, line)
        flip(segment, offset)
    server.starts()


def rewritten(segment, lines):
    segment.write_bytes(b"".join(lines))


def test_records_that_were_removed_or_moved_are_refused(server):
    used(server)
    segment = newest_segment(server, "audit")
    lines = lines_of(segment)
    rewritten(segment, lines[:2] + lines[3:])
    is_refused_untouched(server, segment, 3)
    rewritten(segment, [*lines[:2], lines[3], lines[2], *lines[4:]])
    is_refused_untouched(server, segment, 3)
    rewritten(segment, [*lines[:3], lines[2], *lines[3:]])
    is_refused_untouched(server, segment, 4)
    rewritten(segment, [*lines[:2], b"{}\n", *lines[2:]])
    is_refused_untouched(server, segment, 3)
    rewritten(segment, lines)
    server.starts()


def test_damage_in_an_older_segment_shows_and_stops_nothing(server):
    used(server)
    server.starts()
    alice = server.signs_in("alice")
    alice.unchecks(alice.checks(FIRST).session)
    server.stops()
    older, newer = segments(server, "audit")[-2:]
    whole = older.read_bytes()
    flip(older, len(whole) // 2)
    server.starts()
    told = eventually(lambda: [detail for detail in server.findings("ledger") if older.name in detail])
    assert "vpn-sessions ledger repair" in told[0], told
    assert server.readiness()["status"] == "degraded"
    alice = server.signs_in("alice")
    assert alice.holders(SECOND) == ["alice"]
    assert alice.checks(FIRST).session
    server.stops()
    assert older.read_bytes()[: len(whole) // 2] == whole[: len(whole) // 2], "it is left as it is"
    older.write_bytes(whole)
    server.starts()
    assert server.readiness() == {"status": "ok", "findings": []}
    assert newer.exists()


def test_an_older_segment_whose_end_was_cut_off_shows(server):
    used(server)
    server.restarts()
    server.signs_in("alice").checks(FIRST)
    server.restarts()
    server.signs_in("bob").unchecks(server.signs_in("bob").checks("vpn main 2;vpn sub 1").session)
    server.stops()
    older = segments(server, "audit")[-2]
    os.truncate(older, older.stat().st_size - 5)
    server.starts()
    eventually(lambda: any(older.name in detail for detail in server.findings("ledger")))
    assert server.signs_in("alice").holders(FIRST) == ["alice"]


def test_a_start_begins_with_a_snapshot_of_what_was(server):
    used(server)
    for _ in range(3):
        server.starts()
        alice = server.signs_in("alice")
        assert alice.holders(SECOND) == ["alice"]
        alice.unchecks(alice.checks(FIRST).session)
        server.stops()
    lines = lines_of(newest_segment(server, "audit"))
    assert b'"kind":"segment_opened"' in lines[0] and b'"kind":"snapshot"' in lines[1]
    assert b'"last":true' in lines[1] and b'"alice"' in lines[1]
    for older in segments(server, "audit")[:-1]:
        older.unlink()
    server.starts()
    assert server.signs_in("alice").holders(SECOND) == ["alice"], "the snapshot stands in for what was dropped"


def test_a_newer_format_is_left_to_a_newer_version(server):
    used(server)
    segment = newest_segment(server, "audit")
    lines = lines_of(segment)
    rewritten(segment, [lines[0].replace(b'"format":2', b'"format":3'), *lines[1:]])
    before = kept(server)
    server.refuses_to_start(str(segment))
    assert kept(server) == before


def test_a_server_that_could_not_start_holds_nothing(server, make_server):
    second = make_server(LISTEN=f"127.0.0.1:{server.port}")
    second.refuses_to_start(f"127.0.0.1:{server.port}")
    second.settings["LISTEN"] = f"127.0.0.1:{second.port}"
    second.starts()
