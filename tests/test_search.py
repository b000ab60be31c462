"""Sessions of the past: found by time, user and connection, page by page or whole, and the reading recorded."""

import csv
import io
import json
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from support import program
from support.disk import flip, newest_segment, segments
from support.reports import COLUMNS, rows_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"
THIRD = "vpn main 2;vpn sub 1"

CALLS = ["/api/v1/sessions", "/api/v1/audit/records", "/api/v1/audit/verify"]


def has_been_on(person, connection, **wanted):
    """A whole session."""
    return person.unchecks(person.checks(connection, **wanted).session).session


def has_a_past(server):
    """A server with five ended sessions and two that run, in the order of their ends."""
    alice, bob = server.signs_in("alice"), server.signs_in("bob")
    ended = [
        has_been_on(alice, FIRST, note="=1+1"),
        has_been_on(bob, SECOND),
        has_been_on(alice, THIRD),
        has_been_on(bob, FIRST),
        has_been_on(alice, SECOND),
    ]
    running = [alice.checks(FIRST).session, bob.checks(SECOND).session]
    server.ended, server.running = ended, running
    return server


@pytest.fixture
def busy(server):
    return has_a_past(server)


@pytest.fixture(scope="module")
def archive(make_lasting_server):
    """The same for tests that only read."""
    return has_a_past(make_lasting_server().starts())


@pytest.fixture(scope="module")
def reader(archive):
    """An auditor there."""
    return archive.signs_in("carol")


def searches(person, **wanted):
    """The sessions of a page."""
    return person.gets("/api/v1/sessions", params=wanted).is_done()["sessions"]


def ids(sessions):
    return [session["id"] for session in sessions]


def pages(person, **wanted):
    """Page after page, to the last."""
    cursor = None
    while True:
        page = person.gets("/api/v1/sessions", params={**wanted, "cursor": cursor}).is_done()
        yield page["sessions"]
        cursor = page["cursor"]
        if cursor is None:
            return


def readings(server):
    """What the record of access says of readings of the audit."""
    lines = [line for segment in segments(server, "access") for line in segment.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    return [record["body"] for record in records if record["kind"] == "audit_read"]


# Who may.


@pytest.mark.parametrize("path", CALLS)
def test_the_past_is_for_auditors_and_admins(archive, reader, path):
    archive.visitor().gets(path).is_refused("unauthorized")
    archive.signs_in("alice").gets(path).is_refused("forbidden")
    reader.gets(path).is_done()
    archive.signs_in("dave").gets(path).is_done()


def test_who_came_from_where_is_for_admins_and_what_opens_doors_for_nobody(archive, reader):
    dave = archive.signs_in("dave")
    reader.gets("/api/v1/audit/records?stream=access").is_refused("forbidden")
    reader.gets("/api/v1/sessions").is_done()
    records = dave.gets("/api/v1/audit/records?stream=access").is_done()["records"]
    assert [record["body"]["by"]["user"] for record in records if record["kind"] == "audit_read"][-1] == "carol"
    for stream in ("keys", "relay", "nothing"):
        problem = dave.gets(f"/api/v1/audit/records?stream={stream}").is_refused("bad_request")
        assert "use audit or access" in problem["detail"]


def test_a_reading_is_recorded_with_where_it_came_from_and_how_much_it_was(server, alice):
    alice.unchecks(alice.checks("vpn main 1;vpn sub 1").session).is_done()
    carol = server.signs_in("carol")
    reports = eventually(lambda: carol.gets("/api/v1/audit/reports").is_done()["reports"])
    name = reports[0]["name"]
    assert readings(server)[-1]["rows"] == 1, "the list of reports is one as well"
    assert carol.gets(f"/api/v1/audit/reports/{name}").status == 200
    carol.gets(f"/api/v1/audit/reports/{name}?format=json").is_done()
    carol.gets("/api/v1/sessions").is_done()
    carol.gets("/api/v1/audit/records").is_done()
    carol.gets("/api/v1/audit/verify").is_done()
    told = readings(server)[-5:]
    assert [read["what"] for read in told[:2]] == [name, name]
    assert [read["rows"] for read in told[:3]] == [1, 1, 1]
    assert {read["by"]["address"] for read in readings(server)} == {"127.0.0.1"}


def test_a_reading_that_was_refused_is_not_recorded_as_one(server, alice):
    alice.unchecks(alice.checks("vpn main 1;vpn sub 1").session).is_done()
    carol = server.signs_in("carol")
    name = eventually(lambda: carol.gets("/api/v1/audit/reports").is_done()["reports"])[0]["name"]
    before = len(readings(server))
    carol.gets(f"/api/v1/audit/reports/{name}?format=pdf").is_refused("bad_request")
    carol.gets("/api/v1/sessions?format=pdf").is_refused("bad_request")
    carol.gets("/api/v1/audit/records?limit=0").is_refused("bad_request")
    assert len(readings(server)) == before


# What is found.


def test_sessions_that_run_and_sessions_that_ended_are_found_latest_first(archive, reader):
    found = searches(reader)
    assert ids(found) == ids([*reversed(archive.running), *reversed(archive.ended)])
    assert found[2] == {**archive.ended[-1], "imported": False}
    assert "ended_at" not in found[0] and found[0]["user"] == "bob"


def test_filters_mean_all_that_they_name_whatever_the_case(archive, reader):
    assert ids(searches(reader, user="ALICE", main="VPN main 1")) == ids(
        [archive.running[0], archive.ended[4], archive.ended[0]]
    )
    assert ids(searches(reader, sub="vpn sub 2", user="bob")) == ids([archive.running[1], archive.ended[1]])
    assert searches(reader, user="nobody") == []


def test_times_mean_sessions_that_overlap_them(archive, reader):
    middle = archive.ended[2]
    at = searches(reader, at=middle["since"])
    assert middle["id"] in ids(at)
    assert all(one["since"] <= middle["since"] <= one.get("ended_at", "9") for one in at)
    before = searches(reader, to=middle["ended_at"])
    assert ids(before) == ids(one for one in searches(reader) if one["since"] <= middle["ended_at"])
    behind = searches(reader, **{"from": middle["since"]})
    assert ids(behind) == ids(one for one in searches(reader) if one.get("ended_at", "9") >= middle["since"])
    assert searches(reader, to="2020-01-01") == []
    assert ids(searches(reader, **{"from": "2020-01-01T10:00:00+01:00"})) == ids(searches(reader))
    assert ids(searches(reader, **{"from": "2999-01-01"})) == ids(reversed(archive.running)), "they run on"


def test_a_day_is_the_clocks_day_where_the_reports_are(make_server):
    server = make_server(TIMEZONE="Pacific/Kiritimati").starts()
    session = has_been_on(server.signs_in("alice"), FIRST)
    carol = server.signs_in("carol")
    ended = datetime.fromisoformat(session["ended_at"]).astimezone(timezone(timedelta(hours=14)))
    for days, found in [(0, True), (-1, False)]:
        day = str((ended + timedelta(days=days)).date())
        assert bool(searches(carol, to=day)) is found, day
    assert searches(carol, **{"from": str(ended.date()), "to": str(ended.date())})


@pytest.mark.parametrize(
    "query, words",
    [
        ("from=yesterday", "from:"),
        ("to=2026-13-01", "to:"),
        ("at=2026-11-24", "from and to"),
        ("at=2026-11-24T10:00:00Z&from=2026-11-24", "at is one moment"),
        ("from=2026-11-25&to=2026-11-24", "exchange them"),
        ("limit=0", "1 to 500"),
        ("limit=501", "1 to 500"),
        ("limit=many", "1 to 500"),
        ("user=a:b", "user:"),
        ("main=", "main:"),
        ("sub=a;b", "sub:"),
        ("cursor=7", "cursor:"),
        ("format=xlsx", "json, csv or ndjson"),
        ("format=csv&limit=5", "leave cursor and limit out"),
        ("form=csv", "form"),
    ],
)
def test_what_cannot_be_meant_is_said(reader, query, words):
    problem = reader.gets(f"/api/v1/sessions?{query}").is_refused("bad_request")
    assert words in problem["detail"], problem


# Page by page.


def test_pages_hold_each_session_once_however_long_they_are(archive, reader):
    everything = ids(searches(reader))
    for limit in (1, 2, 3, 7, 8):
        paged = list(pages(reader, limit=limit))
        assert [one for page in paged for one in ids(page)] == everything, limit
        assert all(len(page) <= limit for page in paged)


def test_pages_stay_as_they_began_while_sessions_end_and_begin(busy, carol, alice, bob):
    everything = ids(searches(carol))
    turning = pages(carol, limit=1)
    seen = ids(next(turning))
    assert seen == ids(busy.running[1:])
    alice.unchecks(busy.running[0])
    has_been_on(alice, THIRD)
    seen += ids(next(turning))
    bob.unchecks(busy.running[1])
    bob.checks(THIRD)
    seen += [one for page in turning for one in ids(page)]
    assert seen == everything


# Whole.


def test_all_come_as_the_weekly_reports_rows(archive, reader):
    eventually(lambda: archive.share.has(*archive.ended))
    report = archive.share.file().read_bytes()
    answer = reader.gets("/api/v1/sessions?format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "sessions.csv" in answer.headers["Content-Disposition"]
    assert answer.content.startswith(report), "ended ones are the report's own rows, in its order"
    rest = list(csv.reader(io.StringIO(answer.content.removeprefix(report).decode(), newline="")))
    assert [dict(zip(COLUMNS, row))["session_id"] for row in rest] == ids(archive.running)
    assert all(row[4:7] == ["", "", ""] for row in rest)
    assert rows_of(report, archive.share.file().name)[0]["note"] == "'=1+1"


def test_all_come_as_a_json_object_a_line(archive, reader):
    answer = reader.gets("/api/v1/sessions", params={"format": "ndjson", "user": "alice"})
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert ids(found) == ids([archive.ended[0], archive.ended[2], archive.ended[4], archive.running[0]])
    assert found[0] == {**archive.ended[0], "imported": False}


def test_a_client_that_goes_away_leaves_room_for_others(archive, reader):
    for _ in range(5):
        call = reader.client.get(reader.url + "/api/v1/sessions?format=csv", stream=True, timeout=30)
        call.close()
    assert len(searches(reader)) == 7


# The reading is recorded.


def test_each_reading_is_recorded_before_it_is_given(archive, reader):
    searches(reader, user="alice", limit=2)
    assert readings(archive)[-1] == {
        "by": {"user": "carol", "address": "127.0.0.1"},
        "what": "/api/v1/sessions",
        "filter": "user=alice",
        "rows": 2,
    }
    reader.gets("/api/v1/sessions?format=csv&at=2026-11-24T10:00")
    assert readings(archive)[-1]["filter"] == "at=2026-11-24T10:00 format=csv"
    for path in CALLS[1:]:
        reader.gets(path).is_done()
        assert readings(archive)[-1]["what"] == path


# Records and chains.


def test_every_record_comes_in_order_with_its_hashes(archive, reader):
    first = reader.gets("/api/v1/audit/records?limit=3").is_done()
    assert (first["stream"], first["more"], len(first["records"])) == ("audit", True, 3)
    rest = reader.gets("/api/v1/audit/records", params={"cursor": first["cursor"]}).is_done()
    assert rest["more"] is False
    records = first["records"] + rest["records"]
    numbers = [record["seq"] for record in records]
    assert numbers == sorted(set(numbers)) and rest["cursor"] == numbers[-1]
    kept = [json.loads(line) for line in newest_segment(archive, "audit").read_text().splitlines()]
    assert records == [record for record in kept if record["kind"] not in ("segment_opened", "snapshot")]
    again = reader.gets("/api/v1/audit/records", params={"cursor": rest["cursor"]}).is_done()
    assert (again["records"], again["cursor"]) == ([], rest["cursor"]), "what comes later follows there"
    for query in ("cursor=x", "limit=0", "limit=501", "what=x"):
        reader.gets(f"/api/v1/audit/records?{query}").is_refused("bad_request")


def test_the_chains_tell_how_they_stand(archive, reader):
    state = reader.gets("/api/v1/audit/verify").is_done()
    assert state["is_whole"] is True
    chains = {chain["stream"]: chain for chain in state["streams"]}
    assert list(chains) == ["audit", "access", "relay", "keys"]
    last = json.loads(newest_segment(archive, "audit").read_text().splitlines()[-1])
    audit = chains["audit"]
    assert (audit["seq"], audit["hash"], audit["segments"]) == (last["seq"], last["hash"], 1)
    assert (audit["proved_until"], audit["findings"]) == (last["seq"], [])


def test_a_changed_record_shows_in_its_chain(busy, carol):
    segment = newest_segment(busy, "audit")
    flip(segment, segment.read_bytes().index(b"alice"))

    def found():
        state = carol.gets("/api/v1/audit/verify").is_done()
        return next(chain for chain in state["streams"] if chain["findings"])

    chain = eventually(found)
    assert (chain["stream"], chain["is_whole"], chain["proved_until"]) == ("audit", False, None)
    assert segment.name in chain["findings"][0] and " line " in chain["findings"][0]


# The same on the command line.


def test_the_command_line_finds_the_same_beside_a_server_and_without(busy, carol):
    def found(*arguments):
        return json.loads(busy.runs("audit", "list", "--json", *arguments).is_done())

    beside = found()
    assert ids(beside) == ids([*busy.ended, *busy.running])
    assert beside[0] == {**busy.ended[0], "imported": False}
    exported = busy.runs("audit", "export", "--format", "ndjson", "--user", "ALICE").is_done()
    assert exported == carol.gets("/api/v1/sessions?format=ndjson&user=ALICE").text
    busy.stops()
    assert found() == beside
    assert ids(found("--at", busy.ended[1]["since"], "--user", "bob")) == ids(busy.ended[1:2])
    assert found("--user", "nobody") == []


def test_a_table_has_a_line_for_each_session(archive):
    lines = archive.runs("audit", "list", "--user", "bob").is_done().splitlines()
    assert lines[0].split() == ["MAIN", "SUB", "USER", "CONNECTED", "DISCONNECTED", "SECONDS", "ENDED", "BY", "NOTE"]
    assert [line[: len("vpn main 1  vpn sub 2")] for line in lines[1:]] == [
        "vpn main 1  vpn sub 2",
        "vpn main 1  vpn sub 1",
        "vpn main 1  vpn sub 2",
    ]
    assert lines[-1].endswith("running")


def test_an_export_is_whole_under_its_name(archive, reader):
    target = archive.folder / "all.csv"
    target.write_text("an older one")
    assert archive.runs("audit", "export", "--output", str(target)).is_done() == ""
    assert target.read_bytes() == reader.gets("/api/v1/sessions?format=csv").content
    assert [path.name for path in archive.folder.iterdir() if "all.csv" in path.name] == ["all.csv"]
    archive.runs("audit", "export", "--output", str(archive.folder / "no" / "x.csv")).is_refused("x.csv", "folder")
    archive.runs("audit", "export", "--from", "soon").is_refused("--from", "no time")
    archive.runs("audit", "list", "--at", "2026-11-24T10:00", "--from", "2026-11-24").is_refused(code=2)


def test_reading_leaves_the_data_directory_as_it_is(busy):
    busy.stops()

    def content():
        return {path: path.read_bytes() for path in busy.data_dir.rglob("*") if path.is_file()}

    before = content()
    busy.runs("audit", "list").is_done()
    busy.runs("audit", "export").is_done()
    assert content() == before


def test_a_reader_that_stops_reading_is_no_failure(archive):
    process = subprocess.Popen(
        [program.binary(), "audit", "export"], env=archive.settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    words = process.stderr.read()
    assert (process.wait(timeout=30), words) == (0, b"")
