"""Attacks on HTTP itself: smuggled requests, odd heads, deep and huge bodies."""

import json

import pytest

from support.raw_http import RawHttp, answers_to, statuses

FIRST = "vpn main 1;vpn sub 1"


@pytest.fixture(scope="module")
def victim(attacked):
    """A session that a smuggled request would end, and that request."""
    alice = attacked.signs_in("alice")
    session = alice.checks(FIRST).session
    smuggled = f"DELETE /api/v1/sessions/{session['id']} HTTP/1.1\r\nHost: localhost\r\nX-Access-Tokens: {alice.token}\r\n\r\n"
    return session, smuggled


def request(head, body=""):
    return "POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n" + head + "\r\n" + body


# Framing that two readers would read differently. None may be taken: {s} is the smuggled request.
SMUGGLED = {
    "two lengths": ("Content-Length: 0\r\nContent-Length: {n}\r\n", "{s}"),
    "two lengths in one": ("Content-Length: 0, {n}\r\n", "{s}"),
    "a length with a sign": ("Content-Length: +{n}\r\n", "{s}"),
    "a negative length": ("Content-Length: -1\r\n", "{s}"),
    "a hexadecimal length": ("Content-Length: 0x0\r\n", "{s}"),
    "a length with a space": ("Content-Length: 0 {n}\r\n", "{s}"),
    "a length beyond all numbers": ("Content-Length: 99999999999999999999999\r\n", "{s}"),
    "a length that is a word": ("Content-Length: none\r\n", "{s}"),
    "an empty length": ("Content-Length: \r\n", "{s}"),
    "a space before the colon": ("Transfer-Encoding : chunked\r\n", "0\r\n\r\n{s}"),
    "a tab before the colon": ("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n{s}"),
    "an unknown coding": ("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n{s}"),
    "chunked is not last": ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n{s}"),
    "an identity": ("Transfer-Encoding: identity\r\nContent-Length: 0\r\n", "{s}"),
    "a coding in quotes": ('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n{s}"),
    "a chunk size that is a word": ("Transfer-Encoding: chunked\r\n", "zz\r\n{s}"),
    "a chunk size beyond all numbers": ("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n{s}"),
    "a negative chunk size": ("Transfer-Encoding: chunked\r\n", "-1\r\n{s}"),
    "a chunk longer than it says": ("Transfer-Encoding: chunked\r\n", "1\r\nxx\r\n0\r\n\r\n{s}"),
    "a folded header": ("X-Folded: a\r\n Content-Length: 0\r\nX: y\r\nContent-Length: -\r\n", "{s}"),
    "a zero byte in a header": ("X-Zero: a\0b\r\n", "{s}"),
    "a header without a colon": ("Content-Length 0\r\n", "{s}"),
    "a header without a name": (": 0\r\n", "{s}"),
    "a carriage return alone": ("X-Odd: a\rContent-Length: 0\r\n", "{s}"),
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_nothing_is_smuggled(attacked, victim, case):
    session, smuggled = victim
    head, body = SMUGGLED[case]
    values = {"s": smuggled, "n": len(smuggled)}
    heard = answers_to(attacked, request(head.format(**values), body.format(**values)))
    assert statuses(heard)[:1] in ([400], [501], [413], []), heard[:200]
    assert len(statuses(heard)) <= 1, "what stands behind it is no request"
    assert attacked.signs_in("alice").board()[FIRST]["sessions"][0]["id"] == session["id"]


def test_with_both_framings_the_chunks_count_and_the_length_does_not(attacked, victim):
    """RFC 9112, 6.3: so whatever stands in the length's part only is never a body that hides a request."""
    session, smuggled = victim
    both = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\nConnection: close\r\n"
    heard = answers_to(attacked, request(both, "0\r\n\r\n" + smuggled))
    assert statuses(heard) in ([401], [400], [415]), heard[:200]
    assert attacked.signs_in("alice").board()[FIRST]["sessions"][0]["id"] == session["id"]


def test_a_body_that_looks_like_a_request_is_a_body(attacked, victim):
    session, smuggled = victim
    heard = answers_to(attacked, request(f"Content-Length: {len(smuggled)}\r\nConnection: close\r\n", smuggled))
    assert len(statuses(heard)) == 1
    assert attacked.signs_in("alice").board()[FIRST]["sessions"][0]["id"] == session["id"]


ODD = {
    "no request": b"hello\r\n\r\n",
    "nothing but line ends": b"\r\n" * 50 + b"\r\n",
    "zeros": b"\0" * 4_000,
    "a method of another kind": b"G\x01T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a version of another kind": b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2 by force": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 500,
    "a space in the path": b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path that is no path": b"GET a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a very long path": b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a very long header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 60_000 + b"\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
    "a header that never ends": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 500_000,
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_request_is_refused_and_ended(attacked, case):
    connection = RawHttp(attacked)
    try:
        connection.sends(ODD[case])
    except ConnectionError:
        pass
    heard = answers_if_any(connection)
    assert not statuses(heard) or statuses(heard)[0] in (400, 404, 414, 431, 505), heard[:100]
    assert attacked.visitor().gets("/healthz").status == 200


def answers_if_any(connection):
    try:
        return connection.hears(within=3.0)
    except TimeoutError:
        return connection.heard
    finally:
        connection.ends()


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "DEBUG", "PROPFIND", "X" * 300])
def test_a_method_of_another_kind_is_refused(attacked, method):
    heard = answers_to(attacked, f"{method} / HTTP/1.1\r\nHost: localhost\r\nX-Secret: s\r\nConnection: close\r\n\r\n")
    assert statuses(heard)[0] in (400, 403, 404, 405, 501)
    assert b"X-Secret" not in heard


# Bodies.

BODIES = {
    "deep lists": "[" * 60_000,
    "deep lists that end": "[" * 30_000 + "]" * 30_000,
    "deep objects": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "deep in a field": '{"connection": ' + "[" * 60_000,
    "a number beyond all": '{"connection": ' + "9" * 60_000 + "}",
    "an exponent beyond all": '{"connection": 1e999999999}',
    "a name twice": '{"connection": "a;b", "connection": "vpn main 1;vpn sub 1"}',
    "half a surrogate": '{"connection": "\\ud800;b"}',
    "a zero byte": '{"connection": "a\0;b"}',
    "not UTF-8": b'{"connection": "\xff\xfe"}',
    "another type": '{"connection": {"main": "a"}}',
    "a list": "[1, 2]",
    "nothing": "",
    "a word": "NaN",
    "a prototype": '{"__proto__": {"role": "admin"}, "connection": "a;b"}',
}


@pytest.mark.parametrize("case", BODIES)
def test_an_odd_body_is_a_bad_request(attacked, case):
    alice = attacked.signs_in("alice")
    for path in ("/api/v1/sessions", "/api/placeMessage"):
        person = alice if path.endswith("sessions") else attacked.signs_in("promon")
        answer = person.asks("POST", path, data=BODIES[case], headers={"Content-Type": "application/json"})
        assert answer.status in (400, 404), answer


@pytest.mark.parametrize("size", [128 * 1024 + 1, 1_000_000, 30_000_000])
def test_a_huge_body_is_refused(attacked, size):
    promon = attacked.signs_in("promon")
    body = json.dumps({"message": "x" * size})
    try:
        answer = promon.asks("POST", "/api/placeMessage", data=body, headers={"Content-Type": "application/json"})
        answer.is_refused("too_large")
    except Exception as problem:
        assert size > 1_000_000, problem


def test_a_body_without_a_length_is_no_larger(attacked):
    promon = attacked.signs_in("promon")
    chunks = (b"x" * 10_000 for _ in range(60))
    answer = promon.asks("POST", "/api/placeMessage", data=chunks, headers={"Content-Type": "application/json"})
    answer.is_refused("too_large")


def test_a_body_that_is_packed_is_not_unpacked(attacked):
    promon = attacked.signs_in("promon")
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert promon.asks("POST", "/api/placeMessage", data=b"\x1f\x8b" + b"\0" * 1_000, headers=headers).status == 400


# Lines in heads and logs.


def test_nothing_of_a_request_becomes_a_header(attacked):
    for path in ("/login?next=/%0d%0aX-Evil:%201", "/%0d%0aX-Evil:%201", "/audit?%0d%0aX-Evil:%201=1"):
        heard = answers_to(attacked, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"\r\nx-evil" not in heard.lower()


def test_nothing_of_a_request_becomes_a_line_of_the_log(attacked):
    planted = 'eve\n{"level":"ERROR","fields":{"message":"planted"}}'
    for name in (planted, planted.replace("\n", "\r\n"), "eve\x1b[2J", "eve\u2028planted"):
        attacked.visitor().asks("POST", "/api/loginUser", auth=(name.encode(), b"x y z"))
        attacked.browser().signs_in(name, "a wrong password")
    attacked.visitor().gets("/x%0aplanted", headers={"User-Agent": "planted", "X-Forwarded-For": "planted"})
    for line in attacked.log.splitlines():
        assert not line.startswith('{"level":"ERROR","fields":{"message":"planted"'), line
        assert "\x1b[2J" not in line
