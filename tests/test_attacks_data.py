"""Attacks on what belongs to others, and on the files that people open."""

import csv
import io

import pytest

from support.raw_http import answers_to, statuses
from support.waiting import eventually

FIRST, SECOND = "vpn main 1;vpn sub 1", "vpn main 1;vpn sub 2"


# Others' sessions and messages.


@pytest.fixture(scope="module")
def owned(attacked):
    """A session of Alice's, and a message of the service user's."""
    session = attacked.signs_in("alice").checks(FIRST, note="hers").session
    return session, attacked.signs_in("promon").hands_in("a secret")


@pytest.mark.parametrize("who", ["bob", "carol"])
def test_another_changes_nothing_of_a_session(attacked, connect, owned, who):
    session, _ = owned
    other = attacked.signs_in(who)
    other.unchecks(session).is_refused("forbidden")
    other.notes(session, "mine").is_refused("forbidden")
    socket = connect(attacked, other)
    socket.unchecks(session).is_refused("forbidden")
    socket.asks("note", {"session": session["id"], "note": "mine"}).is_refused("forbidden")
    held = attacked.signs_in("alice").board()[FIRST]["sessions"][0]
    assert (held["user"], held["note"]) == ("alice", "hers")


@pytest.mark.parametrize("who", ["alice", "bob", "carol"])
def test_messages_are_for_admins(attacked, owned, who):
    _, message = owned
    person = attacked.signs_in(who)
    for method, path in (
        ("GET", "/api/v1/messages"),
        ("GET", f"/api/v1/messages/{message}"),
        ("POST", f"/api/v1/messages/{message}/retry"),
    ):
        person.asks(method, path).is_refused("forbidden")
    person.places("mine").is_refused("forbidden")


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_the_audit_is_for_auditors(attacked, owned, who):
    person = attacked.signs_in(who)
    for path in ("/api/v1/audit/reports", "/api/v1/audit/reports/audit-2026-W48.csv"):
        answer = person.gets(path)
        answer.is_refused("forbidden")
        assert "alice" not in answer.text


IDS = ["0", "-1", "../1", "%2e%2e%2f1", "*", "' OR '1'='1", "a" * 5_000, "%00", "null", "undefined"]


@pytest.mark.parametrize("guess", IDS)
def test_an_id_that_is_guessed_is_unknown(attacked, owned, guess):
    bob, dave = attacked.signs_in("bob"), attacked.signs_in("dave")
    assert bob.asks("DELETE", f"/api/v1/sessions/{guess}").status in (400, 404, 405)
    assert dave.gets(f"/api/v1/messages/{guess}").status in (400, 404)
    assert bob.board()[FIRST]["sessions"][0]["user"] == "alice"


def test_nobody_names_himself_another(attacked):
    """What a request says beside what it may say is not read."""
    bob = attacked.signs_in("bob")
    more = {"user": "alice", "role": "admin", "source": "hook", "since": "2000-01-01T00:00:00Z", "id": "x"}
    session = bob.posts("/api/v1/sessions", {"connection": SECOND, **more}).session
    assert session["user"] == "bob" and session["source"] == "api" and session["id"] != "x"
    assert not session["since"].startswith("2000")
    bob.unchecks(session)


@pytest.mark.parametrize("header", ["X-User", "X-Remote-User", "Remote-User", "X-Role", "X-Original-URL", "X-Rewrite-URL"])
def test_no_header_makes_somebody_else(attacked, header):
    value = "/api/v1/messages" if "URL" in header else "dave"
    attacked.visitor().gets("/api/v1/me", headers={header: value}).is_refused("unauthorized")
    assert attacked.signs_in("bob").gets("/api/v1/me", headers={header: value}).is_done()["user"] == "bob"


# Files on the share.

PATHS = [
    "../ledger",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "audit-2026-W48.csv/../../data/keys",
    "audit-2026-W48.csv%00.txt",
    "audit-2026-W48.checkpoint",
    "audit-2026-W48.CSV",
    "audit-2026-W99.csv",
    "audit-0000-W00.csv",
    "audit-2026-W48.csv ",
    ".",
    "..",
    "~/.ssh/id_rsa",
    "file:///etc/passwd",
    "..\\..\\windows\\win.ini",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_reports(attacked, path):
    carol = attacked.signs_in("carol")
    for place in (f"/api/v1/audit/reports/{path}", f"/assets/{path}", f"/{path}"):
        wanted = place.replace(" ", "%20").replace("\\", "%5c")
        heard = answers_to(
            attacked,
            f"GET {wanted} HTTP/1.1\r\nHost: localhost\r\nX-Access-Tokens: {carol.token}\r\nConnection: close\r\n\r\n",
        )
        assert statuses(heard)[0] in (303, 400, 403, 404, 405), heard[:200]
        assert b"root:" not in heard and b"argon2" not in heard


# Cells that a spreadsheet would run.

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "=1,\"a\"",
    "==1",
]


def test_no_note_is_a_formula_in_the_report(make_server):
    server = make_server().starts()
    alice, carol = server.signs_in("alice"), server.signs_in("carol")
    notes = {}
    for formula in FORMULAS:
        session = alice.checks(FIRST, note=formula).session
        alice.unchecks(session).is_done()
        notes[session["id"]] = formula
    (file,) = eventually(lambda: server.share.files())
    eventually(lambda: all(session in file.read_text() for session in notes))
    for content in (file.read_bytes(), carol.downloads(file.name)):
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(rows) == len(FORMULAS)
        for row in rows:
            assert row["note"] == "'" + notes[row["session_id"]]
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row.values())


def test_no_name_is_a_formula_in_the_report(make_server):
    lines = "=1+1;+sub\n@main;-sub\n"
    server = make_server(sessions=lines, users="=alice\ncarol;auditor\n", BOARD_ACCESS="open").starts()
    browser = server.browser()
    assert browser.signs_in("=alice").status == 303
    for connection in ("=1+1;+sub", "@main;-sub"):
        browser.unchecks(browser.checks(connection).session).is_done()
    (file,) = eventually(lambda: server.share.files())
    eventually(lambda: file.read_text().count("\n") == 3)
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    assert [(row["main"], row["sub"], row["user"]) for row in rows] == [
        ("'=1+1", "'+sub", "'=alice"),
        ("'@main", "'-sub", "'=alice"),
    ]
