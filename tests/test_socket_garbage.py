"""A socket that sends what is no packet is ended; the server and all other sockets live on."""

import json
from contextlib import suppress

import pytest

from support.raw_sockets import RAW_SOCKETS, Ended, RawPollingSocket, RawWebSocket, event, handshake
from support.sockets import Socket
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
MAX_PAYLOAD = 65_536

both_ways = pytest.mark.parametrize("way", RAW_SOCKETS)


@pytest.fixture(scope="module")
def server(lasting_server):
    """One server for all of it: it lives on."""
    return lasting_server


@pytest.fixture(scope="module")
def bystander(server):
    """Somebody whose socket has to live on."""
    socket = Socket(server.url, token=server.signs_in("bob").token).connects()
    socket.board()
    return socket


@pytest.fixture
def sign_in(server):
    """A raw socket of Alice's."""
    return lambda way: RAW_SOCKETS[way](server.url).signs_in(server.signs_in("alice").token)


def lives_on(server, bystander):
    """Asserts that nobody else felt anything."""
    assert server.process.poll() is None
    session = bystander.checks(FIRST).session
    bystander.sees(FIRST, "bob")
    bystander.unchecks(session)
    bystander.sees(FIRST)
    assert not bystander.has_ended.is_set()
    assert "panicked" not in server.log


GARBAGE = {
    "an engine packet of no kind": "x",
    "an engine packet of a kind that is not": "9",
    "no packet": "garbage",
    "a message that is empty": "4",
    "a message of no kind": "4garbage",
    "a message of a kind that is not": "49",
    "a message of another script": "4é",
    "a binary event": '451-["check",{"_placeholder":true,"num":0}]',
    "a binary ack": '461-1[{"_placeholder":true,"num":0}]',
    "an ack number that is none": '4299999999999999999999["check",{}]',
    "an event of another namespace": '42/admin,["check",{}]',
    "a connect error": '44{"message":"no"}',
}


@both_ways
@pytest.mark.parametrize("packet", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_packet_ends_the_socket(server, sign_in, bystander, way, packet):
    socket = sign_in(way)
    if way == "polling":
        socket.posts(packet.encode())
    else:
        socket.sends(packet)
    socket.ends()
    lives_on(server, bystander)


@both_ways
def test_the_socket_is_told_why(server, sign_in, way):
    socket = sign_in(way)
    with suppress(OSError, Ended):
        socket.sends("4garbage")
    error = json.loads(socket.hears("44{").removeprefix("44"))
    assert error["data"]["code"] == "bad_request"
    assert "Socket.IO" in error["message"]
    socket.ends()


def test_what_polling_cannot_read_is_a_problem(server, sign_in):
    for body, status, code in [("4" + "x" * MAX_PAYLOAD, 413, "too_large"), ("zzz", 400, "bad_request")]:
        answer = sign_in("polling").answer_to(body.encode())
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["Content-Type"] == "application/problem+json"


@both_ways
def test_bytes_end_the_socket(server, sign_in, bystander, way):
    socket = sign_in(way)
    if way == "polling":
        socket.posts(b"bAAECAw==")
    else:
        socket.sends_bytes(b"\0\1\2\xff")
    socket.ends()
    lives_on(server, bystander)


def test_bytes_that_are_no_text_end_the_socket(server, sign_in, bystander):
    socket = sign_in("polling")
    assert socket.posts(b"4\xff\xfe") >= 400
    socket.ends()
    lives_on(server, bystander)


@both_ways
@pytest.mark.parametrize("size", [MAX_PAYLOAD + 1, 1_000_000, 20_000_000])
def test_a_packet_too_big_ends_the_socket(server, sign_in, bystander, way, size):
    socket = sign_in(way)
    packet = event(1, "check", {"connection": FIRST, "note": "x" * size})
    with suppress(OSError, Ended):
        if way == "polling":
            assert socket.posts(packet.encode()) >= 400
        else:
            socket.sends(packet)
    socket.ends()
    assert bystander.holders(FIRST) == []
    lives_on(server, bystander)


@both_ways
def test_a_packet_that_just_fits_is_read(server, sign_in, way):
    socket = sign_in(way)
    small = event(1, "check", {"connection": FIRST, "note": "", "nothing": ""})
    socket.sends(event(1, "check", {"connection": FIRST, "note": "", "nothing": "x" * (MAX_PAYLOAD - len(small))}))
    assert socket.ack(1)["ok"] is True
    socket.sends(event(2, "uncheck", {"connection": FIRST}))
    assert socket.ack(2)["ok"] is True


def test_the_largest_packet_is_a_setting(make_server):
    server = make_server(toml="[socket]\nmax_payload = 8192\n").starts()
    socket = RawWebSocket(server.url).signs_in(server.signs_in("alice").token)
    socket.sends(event(1, "check", {"connection": FIRST, "note": "x" * 9_000}))
    socket.ends()


@both_ways
@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "{}",
        "[]",
        "null",
        "[7]",
        "[null]",
        '[["check"]]',
        '["check"',
        '["check",{"connection":"a;b"},]',
        '["check"] more',
    ],
)
def test_an_event_that_is_none_is_answered_as_a_bad_request(server, sign_in, bystander, way, payload):
    socket = sign_in(way)
    socket.sends(f"427{payload}")
    assert socket.ack(7).items() >= {"ok": False, "code": "bad_request"}.items()
    socket.sends(event(8, "uncheck", {"connection": FIRST}))
    assert socket.ack(8)["code"] == "not_checked"


@both_ways
def test_json_without_a_bottom_is_answered(server, sign_in, bystander, way):
    socket = sign_in(way)
    socket.sends('427["check",' + "[" * 30_000)
    assert socket.ack(7)["code"] == "bad_request"
    lives_on(server, bystander)


@both_ways
def test_an_event_before_the_sign_in_ends_the_socket(server, bystander, way):
    socket = RAW_SOCKETS[way](server.url)
    socket.sends(event(1, "check", {"connection": FIRST}))
    socket.ends()
    assert bystander.holders(FIRST) == []


@both_ways
@pytest.mark.parametrize("auth", ["{", "[]", "7", '"token"', '{"token":7}', "null x"])
def test_a_sign_in_that_is_none_is_refused(server, way, auth):
    socket = RAW_SOCKETS[way](server.url)
    socket.sends("40" + auth)
    assert '"code":"' in socket.hears("44")


@both_ways
def test_there_is_one_namespace(server, alice, way):
    socket = RAW_SOCKETS[way](server.url)
    socket.sends('40/admin,{"token":"' + alice.token + '"}')
    assert '"code":"bad_request"' in socket.hears("44/admin,")
    assert socket.signs_in(alice.token)


@both_ways
def test_a_socket_that_leaves_its_namespace_gets_nothing_more(server, sign_in, bystander, way):
    socket = sign_in(way)
    socket.sends("41")
    socket.ends()
    lives_on(server, bystander)


@pytest.mark.parametrize(
    "query",
    [
        "EIO=3&transport=polling",
        "EIO=4&transport=nonsense",
        "EIO=4",
        "transport=polling",
        "EIO=4&transport=polling&sid=nonsense",
        "",
    ],
)
def test_a_handshake_that_is_none_is_refused(server, bystander, query):
    answer = server.visitor().gets(f"/socket.io/?{query}")
    assert 400 <= answer.status < 500, answer
    lives_on(server, bystander)


def test_a_socket_that_belongs_to_another_is_not_shared_by_guessing(server, sign_in):
    socket = sign_in("polling")
    place = socket.place
    guessed = place[:-4] + ("AAAA" if not place.endswith("AAAA") else "BBBB")
    socket.place = guessed
    assert socket.posts(b"3") == 400
    socket.place = place
    socket.sends(event(1, "uncheck", {"connection": FIRST}))
    assert socket.ack(1)["code"] == "not_checked"


def test_many_handshakes_that_come_to_nothing_harm_nobody(server, bystander):
    for _ in range(100):
        assert handshake(server.url).status_code == 200
        RawWebSocket(server.url).socket.shutdown()
    lives_on(server, bystander)


def test_a_silent_socket_is_ended(make_server):
    server = make_server(toml="[socket]\nping_interval_ms = 200\nping_timeout_ms = 200\n").starts()
    alice = server.signs_in("alice")
    silent = [RawWebSocket(server.url).signs_in(alice.token), RawPollingSocket(server.url).signs_in(alice.token)]
    for socket in silent:
        socket.ends()


def test_a_socket_that_answers_pings_lives_on(make_server, connect):
    server = make_server(toml="[socket]\nping_interval_ms = 200\nping_timeout_ms = 2000\n").starts()
    alice = server.signs_in("alice")
    raw = RawWebSocket(server.url).signs_in(alice.token)
    for _ in range(8):
        raw.hears("2")
        raw.sends("3")
    raw.sends(event(1, "check", {"connection": FIRST}))
    assert eventually(lambda: raw.ack(1))["ok"] is True
