"""Check, uncheck, take over, note: the same over HTTP and sockets, with the same codes."""

import time
from datetime import datetime

import pytest

from support.server import SESSIONS

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"
JUMP_HOST = "vpn main 3;jump host"


def test_the_board_lists_every_connection_in_the_files_order(alice):
    answer = alice.gets("/api/v1/connections").is_done()
    assert answer["epoch"] and isinstance(answer["seq"], int)
    assert [connection["id"] for connection in answer["connections"]] == [
        ";".join(line.split(";")[:2]) for line in SESSIONS.splitlines()
    ]
    assert answer["connections"][0] == {
        "id": FIRST,
        "main": "vpn main 1",
        "sub": "vpn sub 1",
        "capacity": 1,
        "retired": False,
        "sessions": [],
        "waiting": [],
    }
    assert alice.board()[JUMP_HOST]["capacity"] == 2


@pytest.mark.parametrize("path", ["/api/v1/connections", "/api/v1/me", "/api/test"])
def test_the_board_is_for_those_who_signed_in(lasting_server, path):
    lasting_server.visitor().gets(path).is_refused("unauthorized")


def test_a_check_without_a_sign_in_is_refused(server):
    server.visitor().checks(FIRST).is_refused("unauthorized")


def test_a_check_starts_a_session(server, way_in):
    alice = way_in(server, "alice")
    session = alice.checks(FIRST, note="ticket 4711").session
    assert (session["connection"], session["user"], session["note"]) == (FIRST, "alice", "ticket 4711")
    assert session["source"] == "api"
    assert session["unconfirmed"] is None
    assert "ended_at" not in session
    assert abs(datetime.fromisoformat(session["since"]).timestamp() - time.time()) < 30
    bob = server.signs_in("bob")
    assert bob.board()[FIRST]["sessions"] == [session]


def test_an_uncheck_ends_it(server, way_in):
    alice = way_in(server, "alice")
    session = alice.checks(FIRST, note="short").session
    ended = alice.unchecks(session).session
    assert ended["ended_by"] == "alice"
    assert ended["duration_s"] >= 0
    assert ended["ended_at"] >= session["since"]
    assert {name: ended[name] for name in session} == session
    assert server.signs_in("bob").holders(FIRST) == []


def test_what_is_taken_is_refused_with_its_holder(server, way_in):
    alice, bob = way_in(server, "alice"), way_in(server, "bob")
    session = alice.checks(FIRST, note="mine").session
    assert bob.checks(FIRST).is_refused("taken")["holders"] == [session]
    assert alice.checks(FIRST).is_refused("taken")["holders"] == [session]


def test_a_user_is_on_a_connection_once_even_where_there_is_room(server, way_in):
    alice, bob, dave = (way_in(server, name) for name in ("alice", "bob", "dave"))
    alice.checks(JUMP_HOST)
    assert len(alice.checks(JUMP_HOST).is_refused("taken")["holders"]) == 1
    bob.checks(JUMP_HOST)
    holders = dave.checks(JUMP_HOST).is_refused("taken")["holders"]
    assert [holder["user"] for holder in holders] == ["alice", "bob"]


@pytest.mark.parametrize("connection", ["vpn main 1;vpn sub 9", "vpn main 1;VPN SUB 1", "a;b"])
def test_what_is_not_on_the_list_is_unknown(lasting_server, way_in, connection):
    alice = way_in(lasting_server, "alice")
    alice.checks(connection).is_refused("unknown_connection")
    alice.takes_over(connection).is_refused("unknown_connection")


@pytest.mark.parametrize(
    "connection", ["", "vpn main 1", ";vpn sub 1", "a;b;c", 7, None, ["a;b"], "a;\tb\n;", "x" * 201 + ";b"]
)
def test_what_cannot_be_a_connection_is_a_bad_request(lasting_server, way_in, connection):
    way_in(lasting_server, "alice").checks(connection).is_refused("bad_request")


def test_taking_over_ends_one_session_and_starts_another(server, way_in):
    alice, bob = way_in(server, "alice"), way_in(server, "bob")
    alices = alice.checks(FIRST).session
    bobs = bob.takes_over(FIRST, note="urgent").session
    assert (bobs["user"], bobs["note"]) == ("bob", "urgent")
    assert server.signs_in("dave").board()[FIRST]["sessions"] == [bobs]
    again = alice.unchecks(alices).session
    assert again["ended_by"] == "taken-over:bob"


def test_taking_over_what_has_room_is_a_check(server, way_in):
    alice, bob = way_in(server, "alice"), way_in(server, "bob")
    alice.takes_over(JUMP_HOST)
    assert bob.takes_over(JUMP_HOST).session["user"] == "bob"
    assert server.signs_in("dave").holders(JUMP_HOST) == ["alice", "bob"]


def test_taking_over_ones_own_session_is_taken(server, way_in):
    alice = way_in(server, "alice")
    alice.checks(FIRST)
    alice.takes_over(FIRST).is_refused("taken")


def test_of_several_holders_one_is_named(server, way_in):
    alice, bob, dave = (way_in(server, name) for name in ("alice", "bob", "dave"))
    alice.checks(JUMP_HOST)
    bobs = bob.checks(JUMP_HOST).session
    assert len(dave.takes_over(JUMP_HOST).is_refused("taken")["holders"]) == 2
    assert dave.takes_over(JUMP_HOST, session=bobs["id"]).session["user"] == "dave"
    assert dave.unchecks(bobs).session["ended_by"] == "taken-over:dave"
    assert server.signs_in("dave").holders(JUMP_HOST) == ["alice", "dave"]


def test_a_take_over_of_a_session_elsewhere_is_refused(server, way_in):
    alice, bob = way_in(server, "alice"), way_in(server, "bob")
    alice.checks(FIRST)
    elsewhere = alice.checks(SECOND).session
    bob.takes_over(FIRST, session=elsewhere["id"]).is_refused("unknown_session")
    assert server.signs_in("dave").holders(SECOND) == ["alice"]


def test_a_session_is_unchecked_by_its_holder_or_an_admin(server, way_in):
    alice, bob, carol, dave = (way_in(server, name) for name in ("alice", "bob", "carol", "dave"))
    session = alice.checks(FIRST).session
    bob.unchecks(session).is_refused("forbidden")
    carol.unchecks(session).is_refused("forbidden")
    assert server.signs_in("bob").holders(FIRST) == ["alice"]
    assert dave.unchecks(session).session["ended_by"] == "admin:dave"


def test_a_second_uncheck_gives_the_same_answer(server, way_in):
    alice, bob, dave = (way_in(server, name) for name in ("alice", "bob", "dave"))
    session = alice.checks(FIRST).session
    ended = alice.unchecks(session).session
    assert alice.unchecks(session).session == ended
    assert dave.unchecks(session).session == ended
    bob.unchecks(session).is_refused("forbidden")
    server.restarts()
    assert server.signs_in("alice").unchecks(session).session == ended


def test_a_second_uncheck_leaves_the_next_session_alone(server, way_in):
    alice, bob = way_in(server, "alice"), way_in(server, "bob")
    alices = alice.checks(FIRST).session
    alice.unchecks(alices)
    bob.checks(FIRST)
    alice.unchecks(alices)
    assert server.signs_in("dave").holders(FIRST) == ["bob"]


def test_a_session_that_never_was_is_unknown(lasting_server, way_in):
    alice = way_in(lasting_server, "alice")
    for session_id in ("0123456789abcdef0123456789abcdef", "x"):
        alice.unchecks({"id": session_id}).is_refused("unknown_session")


@pytest.mark.parametrize("character", ["x", "ä", "\N{LOCK}"])
def test_a_note_has_500_characters_at_most(server, way_in, character):
    alice = way_in(server, "alice")
    alice.checks(FIRST, note=character * 501).is_refused("bad_request")
    session = alice.checks(FIRST, note=character * 500).session
    assert session["note"] == character * 500
    assert alice.notes(session, "changed").session["note"] == "changed"
    alice.notes(session, character * 501).is_refused("bad_request")
    assert alice.notes(session, character * 500).session["note"] == character * 500
    assert alice.notes(session, "").session["note"] == ""


@pytest.mark.parametrize("note", ["two\nlines", "nul \0", 7, ["a"], {}])
def test_what_cannot_be_a_note_is_a_bad_request(server, way_in, note):
    alice = way_in(server, "alice")
    alice.checks(FIRST, note=note).is_refused("bad_request")
    session = alice.checks(FIRST).session
    alice.notes(session, note).is_refused("bad_request")


def test_a_note_is_its_holders_alone(server, way_in):
    alice, bob, dave = (way_in(server, name) for name in ("alice", "bob", "dave"))
    session = alice.checks(FIRST, note="mine").session
    bob.notes(session, "yours").is_refused("forbidden")
    dave.notes(session, "yours").is_refused("forbidden")
    assert server.signs_in("dave").board()[FIRST]["sessions"][0]["note"] == "mine"


def test_a_note_of_an_ended_session_cannot_be_changed(alice):
    session = alice.checks(FIRST).session
    alice.unchecks(session)
    alice.notes(session, "late").is_refused("unknown_session")


def test_a_browser_says_that_a_page_checked(server):
    browser = server.signs_in_browser("alice")
    assert browser.checks(FIRST).session["source"] == "page"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"a;b"', b'{"note": "x"}', b'{"connection": "a;b", "take_over": "yes"}']
)
def test_a_check_that_says_nothing_is_a_bad_request(lasting_server, body):
    alice = lasting_server.signs_in("alice")
    answer = alice.asks("POST", "/api/v1/sessions", data=body, headers={"Content-Type": "application/json"})
    answer.is_refused("bad_request")


def test_bodies_of_the_board_have_the_same_limits(alice):
    alice.checks(FIRST, note="x" * 200_000).is_refused("too_large")
    alice.asks("POST", "/api/v1/sessions", data="connection=a;b").is_refused("unsupported_media_type")


def test_only_one_of_many_gets_the_last_room(server, at_once):
    people = [server.signs_in(name) for name in ("alice", "bob", "carol", "dave", "promon")]
    answers = at_once([lambda person=person: person.checks(FIRST) for person in people])
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]
    assert len(people[0].holders(FIRST)) == 1
