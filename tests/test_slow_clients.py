"""Clients that are slow on purpose: each is cut off in time, and nobody else feels it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.bystander import Bystander
from support.certificates import make_certificates
from support.raw_http import RawHttp
from support.raw_sockets import Ended, RawPollingSocket, RawWebSocket
from support.sockets import Socket

# The limits: 10 s for a head, a handshake and the time between requests, 20 s for a body.
# Seconds until a connection must be gone; a busy machine has room.
GONE_WITHIN = 50

HEAD = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = "POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def trickles(connection, ended):
    """Sends a byte now and then, so that the connection never looks idle."""
    while not ended.wait(1.0):
        try:
            connection.sends("x")
        except OSError:
            return


CASES = {
    "nothing": ("", False),
    "half a head": (HEAD, False),
    "a head that trickles": (HEAD + "X-Slow: ", True),
    "half a body": (POST + "Content-Length: 100\r\n\r\n{", False),
    "a body that trickles": (POST + "Content-Length: 100\r\n\r\n{", True),
    "a chunked body that trickles": (POST + "Transfer-Encoding: chunked\r\n\r\n64\r\n", True),
    "a body for a socket": (
        "POST /socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 100\r\n\r\n4",
        True,
    ),
    "a sign-in that trickles": (
        "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 100\r\n\r\nuser=",
        True,
    ),
    "idle after an answer": (HEAD + "\r\n", False),
    "half of http/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", False),
}


HANDSHAKES = {
    "a TLS handshake that does not begin": b"",
    "a byte of a TLS handshake": b"\x16",
    "half a TLS handshake": b"\x16\x03\x01\x02\x00\x01",
}

GUESTS = {
    "a WebSocket that does not sign in": RawWebSocket,
    "a polling socket that does not sign in": RawPollingSocket,
}


def ends(server, content, trickle=False):
    """Waits for the server to end a connection, and gives what it said."""
    connection = RawHttp(server).sends(content)
    ended = threading.Event()
    if trickle:
        threading.Thread(target=trickles, args=(connection, ended), daemon=True).start()
    try:
        return connection.hears(within=GONE_WITHIN)[:40]
    except TimeoutError:
        return None
    finally:
        ended.set()
        connection.ends()


def guest_ends(socket):
    """Answers pings and nothing else until the server ends the socket."""
    deadline = time.monotonic() + GONE_WITHIN
    while time.monotonic() < deadline:
        try:
            if "2" in socket.receives():
                socket.sends("3")
        except (Ended, OSError):
            return b"ended"
    return None


@pytest.fixture(scope="module")
def tls_server(make_lasting_server, tmp_path_factory):
    folder = make_certificates(tmp_path_factory.mktemp("tls"))
    settings = {"TLS_CERT": folder / "mail.pem", "TLS_KEY": folder / "mail.key"}
    return make_lasting_server(authority=str(folder / "authority.pem"), **settings).starts()


@pytest.fixture(scope="module")
def results(lasting_server, tls_server):
    """How each of them ended; all of them at once, and a crowd beside them."""
    server = lasting_server
    bystander = Bystander(server)
    live = Socket(server.url, token=server.signs_in("alice").token).connects()
    crowd = [RawHttp(server).sends(HEAD) for _ in range(300)]
    ways = {case: (ends, server, *details) for case, details in CASES.items()}
    ways |= {case: (ends, tls_server, content) for case, content in HANDSHAKES.items()}
    ways |= {case: (guest_ends, made(server.url)) for case, made in GUESTS.items()}
    with ThreadPoolExecutor(len(ways)) as pool:
        running = {case: pool.submit(*way) for case, way in ways.items()}
        found = {case: run.result() for case, run in running.items()}
    for connection in crowd:
        connection.hears()
        connection.ends()
    assert not live.has_ended.is_set()
    assert tls_server.visitor().gets("/healthz").status == 200
    bystander.was_undisturbed()
    return found


@pytest.mark.parametrize("case", [*CASES, *HANDSHAKES, *GUESTS])
def test_who_is_slow_is_cut_off(results, case):
    assert results[case] is not None, f"still open after {GONE_WITHIN} s"


@pytest.mark.parametrize("case", [case for case in CASES if "body" in case or "sign-in" in case])
def test_a_slow_body_is_told_why(results, case):
    assert results[case].startswith(b"HTTP/1.1 408")


def test_a_poll_that_hangs_is_answered_and_one_at_a_time(lasting_server):
    """Two polls of one socket at once are none: the socket ends, the server does not."""
    opened = lasting_server.visitor().gets("/socket.io/?EIO=4&transport=polling").text
    place = "/socket.io/?EIO=4&transport=polling&sid=" + opened.split('"sid":"')[1].split('"')[0]
    head = f"GET {place} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    polls = [RawHttp(lasting_server).sends(head) for _ in range(20)]
    statuses = [poll.status() for poll in polls]
    assert set(statuses) <= {200, 400} and 400 in statuses
    for poll in polls:
        poll.ends()
    assert lasting_server.visitor().gets("/healthz").status == 200
