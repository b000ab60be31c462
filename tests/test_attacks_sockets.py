"""Attacks on sockets: frames and packets that no client sends, and too much of them."""

import base64
import os
import struct

import pytest

from support.raw_http import RawHttp
from support.raw_sockets import Ended, RawPollingSocket, RawWebSocket, event
from support.waiting import SOON, eventually

FIRST = "vpn main 1;vpn sub 1"
MAX_PAYLOAD = 65_536
UPGRADE = {
    "Host": "localhost",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
}


def handshake(server, headers=None, query="EIO=4&transport=websocket"):
    """A WebSocket by hand: the connection behind the answer 101, or the answer."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or UPGRADE).items())
    connection = RawHttp(server).sends(f"GET /socket.io/?{query} HTTP/1.1\r\n{lines}\r\n")
    return connection, connection.status()


def frame(kind, content=b"", final=True, masked=True, reserved=0, length=None):
    """A WebSocket frame (RFC 6455, 5.2), right or wrong."""
    first = (0x80 if final else 0) | reserved << 4 | kind
    length = len(content) if length is None else length
    mask = os.urandom(4)
    bit = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, bit | length)
    elif length < 65_536:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    covered = bytes(byte ^ mask[at % 4] for at, byte in enumerate(content)) if masked else content
    return head + (mask if masked else b"") + covered


TEXT, BYTES, CLOSE, PING = 1, 2, 8, 9
FRAMES = {
    "not masked": frame(TEXT, b"40", masked=False),
    "a reserved bit": frame(TEXT, b"40", reserved=4),
    "a reserved kind": frame(3, b"40"),
    "a reserved control kind": frame(11, b""),
    "a control frame in parts": frame(PING, b"x", final=False),
    "a long control frame": frame(PING, b"x" * 200),
    "a continuation of nothing": frame(0, b"40"),
    "a text within a text": frame(TEXT, b"4", final=False) + frame(TEXT, b"0"),
    "a text that is no UTF-8": frame(TEXT, b"4\xff\xfe"),
    "half a letter": frame(TEXT, b"4\xc3"),
    "a close code that is none": frame(CLOSE, struct.pack("!H", 1005)),
    "half a close code": frame(CLOSE, b"\x03"),
    "a length beyond the limit": frame(TEXT, b"40", length=MAX_PAYLOAD + 1),
    "a length beyond all memory": frame(TEXT, b"40", length=2**62),
    "a negative length": frame(TEXT, b"40", length=2**63),
    "too long in parts": frame(TEXT, b"4" + b"x" * 60_000, final=False) + frame(0, b"x" * 60_000),
    "bytes": frame(BYTES, b"\x04\x05"),
    "an empty text": frame(TEXT, b""),
    "garbage": os.urandom(2_000),
    "another protocol": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("case", FRAMES)
def test_a_frame_that_is_none_ends_its_socket_and_no_other(attacked, case):
    connection, status = handshake(attacked)
    assert status == 101
    try:
        connection.sends(FRAMES[case])
        connection.hears(within=SOON)
    except (ConnectionError, TimeoutError) as problem:
        # Some garbage is the beginning of a frame that waits for its end: the guests' time ends it.
        assert case == "garbage" or isinstance(problem, ConnectionError), problem
    finally:
        connection.ends()
    assert attacked.visitor().gets("/healthz").status == 200


HANDSHAKES = {
    "no key": {**UPGRADE, "Sec-WebSocket-Key": None},
    "no upgrade": {**UPGRADE, "Upgrade": None, "Connection": "close"},
    "another protocol": {**UPGRADE, "Upgrade": "h2c"},
    "another origin": {**UPGRADE, "Origin": "https://evil.example"},
    "two origins": {**UPGRADE, "Origin": "http://localhost\r\nOrigin: https://evil.example"},
    "another site": {**UPGRADE, "Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("case", HANDSHAKES)
def test_a_handshake_that_is_none_opens_nothing(attacked, case):
    headers = {name: value for name, value in HANDSHAKES[case].items() if value is not None}
    connection, status = handshake(attacked, headers)
    connection.ends()
    if case in ("no upgrade", "another protocol"):
        # The answer may be an upgrade; without one of HTTP's, no frame is read.
        assert status in (101, 400, 403)
    else:
        assert status in (400, 403)
    assert attacked.visitor().gets("/healthz").status == 200


QUERIES = [
    "EIO=4&transport=websocket&sid=../../etc/passwd",
    "EIO=4&transport=polling&sid=" + "A" * 5_000,
    "EIO=4&transport=polling&sid=%00",
    "EIO=99999999999999999999&transport=polling",
    "EIO=4&transport=polling&transport=websocket&sid=",
    "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA&sid=",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_is_none_is_refused(attacked, query):
    assert attacked.visitor().gets(f"/socket.io/?{query}").status == 400


POSTS = {
    "nothing but separators": b"\x1e" * 1_000,
    "a thousand pings": b"\x1e".join([b"2"] * 1_000),
    "an open packet": b'0{"sid":"x"}',
    "an upgrade packet": b"5",
    "a no-op": b"6",
    "bytes that are none": b"b!!!",
    "a zero byte": b"4\0",
    "of another protocol": b"2:40",
}


@pytest.mark.parametrize("case", POSTS)
def test_a_payload_that_is_none_harms_only_its_socket(attacked, case):
    socket = RawPollingSocket(attacked.url).signs_in(attacked.signs_in("alice").token)
    try:
        assert socket.posts(POSTS[case]) in (200, 400)
    except Ended:
        pass
    assert attacked.visitor().gets("/healthz").status == 200


EVENTS = {
    "a name that is markup": '["<script>",{}]',
    "a name of our own": '["board",{"epoch":"x","seq":1,"connections":[]}]',
    "changes": '["changes",{"seq":1,"connections":[]}]',
    "connect": '["connect",{}]',
    "disconnect": '["disconnect",{}]',
    "a prototype": '["__proto__",{}]',
    "another's name": '["check",{"connection":"vpn main 1;vpn sub 1","user":"dave","role":"admin","session":"x"}]',
    "deep": '["check",' + "[" * 1_000 + "]" * 1_000 + "]",
    "a number for a name": '["check",{"connection":7}]',
    "a huge number": '["uncheck",{"session":' + "9" * 1_000 + "}]",
    "a note too long": '["check",{"connection":"vpn main 1;vpn sub 1","note":"' + "x" * 600 + '"}]',
    "a note of two lines": '["check",{"connection":"vpn main 1;vpn sub 1","note":"a\\nb"}]',
    "a connection of one part": '["check",{"connection":"vpn main 1"}]',
}


@pytest.mark.parametrize("case", EVENTS)
def test_an_event_that_is_none_is_answered(attacked, case):
    socket = RawWebSocket(attacked.url).signs_in(attacked.signs_in("alice").token)
    socket.sends(f"427{EVENTS[case]}")
    answer = socket.ack(7)
    if case == "another's name":
        assert answer["ok"] is True and answer["session"]["user"] == "alice"
        socket.sends(event(8, "uncheck", {"connection": FIRST}))
        assert socket.ack(8)["ok"] is True
    else:
        assert answer["ok"] is False and answer["code"] in ("bad_request", "unknown_session")
    socket.socket.close()


def test_a_flood_of_events_is_limited_and_answered(make_server):
    """Those beyond the minute's number are told so, each of them."""
    server = make_server(toml="[limits]\ncommands_per_minute = 60\n").starts()
    socket = RawWebSocket(server.url).signs_in(server.signs_in("carol").token)
    for number in range(1, 501):
        socket.sends(event(number, "uncheck", {"connection": FIRST}))
        socket.inbox.extend(socket.receives())
    assert socket.ack(1)["code"] == "not_checked"
    assert socket.ack(500)["code"] == "rate_limited"


def test_sockets_that_come_and_go_in_hundreds_leave_nothing(attacked):
    for _ in range(20):
        opened = [handshake(attacked)[0] for _ in range(20)]
        for connection in opened:
            connection.ends()
    eventually(lambda: attacked.visitor().gets("/healthz").status == 200)
