"""Handing in messages: what is taken, what is refused, and where one sees them."""

import pytest

from support.cases import brief

KIB = 1024


@pytest.fixture
def script(lasting_server):
    """A monitoring script, whose messages nobody counts."""
    return lasting_server.signs_in("promon")


def test_a_message_is_held_where_no_mail_server_is_configured(promon):
    answer = promon.places("hello").is_done()
    assert answer["status"] == "held"
    message = promon.message(answer["id"])
    assert (message["message"], message["status"], message["user"]) == ("hello", "held", "promon")
    assert message["attempts"] == 0


def test_the_newer_call_accepts_with_202(promon):
    answer = promon.posts("/api/v1/messages", {"message": "hello"})
    assert answer.is_done(202)["status"] == "held"


def test_what_may_be_said_of_a_message_is_kept(dave):
    answer = dave.places("disk full", subject="Alarm", priority=1, dedupe_key="disk").is_done()
    message = dave.message(answer["id"])
    assert (message["subject"], message["priority"], message["dedupe_key"]) == ("Alarm", 1, "disk")
    assert message["user"] == "dave"


@pytest.mark.parametrize("path", ["/api/placeMessage", "/api/v1/messages"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b'"hello"',
        b"[]",
        b"null",
        b"{}",
        b'{"message": null}',
        b'{"message": 7}',
        b'{"message": ["hello"]}',
        b'{"message": ""}',
        b'{"message": "  \\n "}',
        b'{"msg": "hello"}',
        b'{"message": "hello", "priority": 0}',
        b'{"message": "hello", "priority": 6}',
        b'{"message": "hello", "priority": "high"}',
        b'{"message": "hello", "subject": 7}',
        b'{"message": "\xff"}',
        b'{"message": "hello"} trailing',
        b'{"message": "\\ud800"}',
        b"[" * 100_000,
    ],
    ids=brief,
)
def test_a_body_that_says_no_message_is_a_bad_request(script, path, body):
    answer = script.asks("POST", path, data=body, headers={"Content-Type": "application/json"})
    answer.is_refused("bad_request")


def test_nothing_refused_is_kept(promon):
    promon.places("").is_refused("bad_request")
    promon.places("x" * (64 * KIB + 1)).is_refused("too_large")
    assert promon.gets("/api/v1/messages").is_done()["messages"] == []


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_body_that_is_not_sent_as_json_is_refused(script, kind):
    headers = {"Content-Type": kind} if kind else {}
    answer = script.asks("POST", "/api/placeMessage", data=b'{"message": "hello"}', headers=headers)
    answer.is_refused("unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_said_in_other_words(script, kind):
    answer = script.asks("POST", "/api/placeMessage", data=b'{"message": "hello"}', headers={"Content-Type": kind})
    assert answer.is_done()["status"] == "held"


@pytest.mark.parametrize("character", ["x", "ä", "\N{LOCK}"])
def test_a_message_has_64_kib_of_utf_8_at_most(script, character):
    most = character * (64 * KIB // len(character.encode()))
    assert len(most.encode()) == 64 * KIB
    answer = script.asks("POST", "/api/placeMessage", **as_utf_8(most)).is_done()
    assert script.message(answer["id"])["message"] == most
    script.asks("POST", "/api/placeMessage", **as_utf_8(most + "x")).is_refused("too_large")


def test_a_body_has_128_kib_at_most(script):
    def padded(size):
        body = b'{"message": "hello"}'
        return body + b" " * (size - len(body))

    headers = {"Content-Type": "application/json"}
    script.asks("POST", "/api/placeMessage", data=padded(128 * KIB), headers=headers).is_done()
    script.asks("POST", "/api/placeMessage", data=padded(128 * KIB + 1), headers=headers).is_refused("too_large")


def test_a_body_without_a_length_is_limited_all_the_same(script):
    parts = (b" " * KIB for _ in range(200))
    answer = script.asks("POST", "/api/placeMessage", data=parts, headers={"Content-Type": "application/json"})
    answer.is_refused("too_large")


@pytest.mark.parametrize(
    "method, path",
    [
        ("POST", "/api/placeMessage"),
        ("POST", "/api/v1/messages"),
        ("GET", "/api/v1/messages"),
        ("GET", "/api/v1/messages/0"),
        ("POST", "/api/v1/messages/0/retry"),
    ],
)
def test_the_relay_is_for_admins(lasting_server, method, path):
    hello = {"message": "hello"} if method == "POST" else None
    lasting_server.visitor().asks(method, path, json=hello).is_refused("unauthorized")
    for name in ("alice", "carol"):
        lasting_server.signs_in(name).asks(method, path, json=hello).is_refused("forbidden")


def test_a_message_that_nobody_has_handed_in_is_unknown(script):
    script.gets("/api/v1/messages/0123456789abcdef0123456789abcdef").is_refused("unknown_message")
    script.gets("/api/v1/messages/..%2f..%2fetc").is_refused("unknown_message")
    script.asks("POST", "/api/v1/messages/0/retry").is_refused("unknown_message")


def test_a_message_to_somebody_else_is_refused(script):
    script.places("hello", to=["somebody@example.com"]).is_refused("forbidden")


def test_messages_are_listed_latest_first_by_the_page(dave):
    ids = [dave.hands_in(f"message {number}") for number in range(7)]
    listed, cursor = [], None
    for _ in range(4):
        page = dave.gets("/api/v1/messages", params={"limit": 2, "cursor": cursor}).is_done()
        listed += [message["id"] for message in page["messages"]]
        cursor = page["cursor"]
    assert cursor is None
    assert listed == ids[::-1]


def test_messages_are_listed_by_status(dave):
    held = dave.hands_in("hello")
    found = dave.gets("/api/v1/messages", params={"status": "held"}).is_done()["messages"]
    assert [message["id"] for message in found] == [held]
    assert dave.gets("/api/v1/messages", params={"status": "sent"}).is_done()["messages"] == []


@pytest.mark.parametrize("wanted", ["status=lost", "cursor=abc", "limit=abc", "limit=-1"])
def test_a_list_that_cannot_be_meant_is_a_bad_request(script, wanted):
    script.gets(f"/api/v1/messages?{wanted}").is_refused("bad_request")


def test_messages_survive_a_restart_and_a_kill(server, dave):
    first = dave.hands_in("before the restart")
    server.restarts()
    second = dave.hands_in("before the kill")
    server.comes_back_after_a_kill()
    found = [message["id"] for message in dave.gets("/api/v1/messages").is_done()["messages"]]
    assert found == [second, first]


def test_a_held_message_stays_held_whoever_asks(dave):
    held = dave.hands_in("hello")
    dave.asks("POST", f"/api/v1/messages/{held}/retry")
    assert dave.message(held)["status"] == "held"


def test_an_admin_without_a_password_has_no_outbox(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    browser = server.signs_in_browser("dave", "")
    browser.places("hello").is_refused("forbidden")
    browser.gets("/api/v1/messages").is_refused("forbidden")


def as_utf_8(message):
    """A message as JSON whose characters stand for themselves."""
    body = '{"message": "' + message + '"}'
    return {"data": body.encode(), "headers": {"Content-Type": "application/json"}}
