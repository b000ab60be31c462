"""Limits of commands, messages and sockets: whoever meets one is told, and the others go on."""

import pytest

from support.raw_sockets import RAW_SOCKETS, RawPollingSocket, event, handshake
from support.sockets import Refused
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
PROXY = {"TRUSTED_PROXIES": "127.0.0.1"}


def limited(make_server, lines, **settings):
    return make_server(toml="[limits]\n" + lines, **settings).starts()


def test_commands_of_an_account_are_limited_over_http(make_server):
    server = limited(make_server, "commands_per_minute = 2\n")
    alice = server.signs_in("alice")
    alice.unchecks(alice.checks(FIRST).session).is_done()
    refused = alice.checks(FIRST)
    refused.is_refused("rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert server.signs_in("alice").checks(FIRST).status == 429, "another program of hers is the same account"
    assert alice.board()[FIRST]["sessions"] == [], "reading goes on"
    assert server.signs_in("bob").checks(FIRST).status == 201, "and so do the others"


def test_who_has_made_too_many_commands_can_still_sign_out(make_server):
    server = limited(make_server, "commands_per_minute = 1\n")
    browser = server.signs_in_browser("alice")
    cookie = f"{browser.cookie.name}={browser.token}"
    browser.unchecks(browser.checks(FIRST).session).is_refused("rate_limited")
    assert browser.signs_out().status == 303
    assert server.visitor().gets("/", headers={"Cookie": cookie}).headers["Location"] == "/login", "it has ended"


@pytest.mark.parametrize("way", ["websocket", "polling"])
def test_commands_of_an_account_are_limited_over_sockets(make_server, connect, way):
    server = limited(make_server, "commands_per_minute = 2\n")
    alice = connect(server, server.signs_in("alice"), way=way)
    alice.unchecks(alice.checks(FIRST).session)
    alice.checks(FIRST).is_refused("rate_limited")
    bob = connect(server, server.signs_in("bob"), way=way)
    assert bob.checks(FIRST).session
    alice.sees(FIRST, "bob")


def test_http_and_sockets_share_the_limit(make_server, connect):
    server = limited(make_server, "commands_per_minute = 2\n")
    alice = server.signs_in("alice")
    alice.unchecks(alice.checks(FIRST).session).is_done()
    connect(server, alice).checks(FIRST).is_refused("rate_limited")


def test_messages_have_a_limit_of_their_own(make_server):
    server = limited(make_server, "messages_per_minute = 2\ncommands_per_minute = 1\n")
    promon = server.signs_in("promon")
    for number in range(2):
        promon.places(f"message {number}").is_done()
    refused = promon.places("one too many")
    refused.is_refused("rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    promon.posts("/api/v1/messages", {"message": "one too many"}).is_refused("rate_limited")
    assert len(promon.gets("/api/v1/messages").is_done()["messages"]) == 2
    assert server.signs_in("dave").places("by another").status == 200


def test_the_usual_limits_are_never_met_by_who_works(server):
    alice = server.signs_in("alice")
    for _ in range(100):
        alice.unchecks(alice.checks(FIRST).session).is_done()


# Sockets.


def test_one_socket_too_many_in_all_is_told_so(make_server, connect):
    server = limited(make_server, "sockets = 2\n")
    alice = server.signs_in("alice")
    first, second = connect(server, alice), connect(server, alice, way="polling")
    answer = handshake(server.url)
    assert answer.status_code == 503 and answer.json()["code"] == "unavailable"
    with pytest.raises(Refused):
        connect(server, alice)
    first.checks(FIRST)
    second.sees(FIRST, "alice")
    first.leaves()
    eventually(lambda: handshake(server.url).status_code == 200)


def test_one_socket_too_many_of_an_address_is_told_so(make_server):
    server = limited(make_server, "sockets_per_address = 2\n", **PROXY)
    crowd, other = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "198.51.100.7"}
    assert [handshake(server.url, **crowd).status_code for _ in range(3)] == [200, 200, 429]
    refused = handshake(server.url, **crowd)
    assert refused.json()["code"] == "rate_limited"
    assert handshake(server.url, **other).status_code == 200
    assert server.visitor().gets("/login", headers=crowd).status == 200, "pages are still served"


def test_one_socket_too_many_of_an_account_is_told_so(make_server, connect):
    server = limited(make_server, "sockets_per_account = 2\n")
    alice = server.signs_in("alice")
    sockets = [connect(server, alice), connect(server, alice, way="polling")]
    for way in ("websocket", "polling"):
        with pytest.raises(Refused) as refused:
            connect(server, alice, way=way)
        assert refused.value.error["data"]["code"] == "rate_limited"
    assert connect(server, server.signs_in("bob")).checks(FIRST).session
    sockets[1].sees(FIRST, "bob")
    sockets[0].leaves()
    eventually(lambda: connects(connect, server, alice))


def connects(connect, server, who):
    try:
        return connect(server, who)
    except Refused:
        return None


@pytest.mark.parametrize("way", RAW_SOCKETS)
def test_sockets_that_come_and_go_leave_no_seat_taken(make_server, way):
    server = limited(make_server, "sockets = 5\nsockets_per_account = 3\nsockets_per_address = 5\n")
    alice = server.signs_in("alice")
    for _ in range(20):
        socket = eventually(lambda: opened(server, way))
        socket.signs_in(alice.token)
        socket.sends("41")
        socket.ends()


def opened(server, way):
    try:
        return RAW_SOCKETS[way](server.url)
    except Exception:
        return None


def test_handshakes_that_fail_leave_no_seat_taken(make_server):
    server = limited(make_server, "sockets = 3\n")
    for _ in range(10):
        assert server.visitor().gets("/socket.io/?EIO=3&transport=polling").status == 400
        assert server.visitor().gets("/socket.io/?EIO=4&transport=websocket").status == 400
        assert server.visitor().asks("POST", "/socket.io/?EIO=4&transport=polling", data="40").status == 400
    assert handshake(server.url).status_code == 200


# A polling socket's id alone.


def test_the_id_of_a_polling_socket_is_worth_nothing_elsewhere(make_server):
    server = make_server(**PROXY).starts()
    mine, thief = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "198.51.100.7"}
    opened = handshake(server.url, **mine).text
    socket = RawPollingSocket.of(server.url, opened, mine)
    socket.signs_in(server.signs_in("alice").token)
    assert server.visitor().gets(socket.path, headers=thief).status == 400
    stolen = event(1, "check", {"connection": FIRST})
    assert server.visitor().asks("POST", socket.path, data=stolen, headers=thief).status == 400
    assert server.signs_in("bob").holders(FIRST) == []
    socket.sends(event(2, "check", {"connection": FIRST}))
    assert socket.ack(2)["ok"] is True


def test_the_id_of_a_browsers_polling_socket_is_worth_nothing_to_another(make_server):
    server = make_server().starts()
    alice, bob = server.signs_in_browser("alice"), server.signs_in_browser("bob")
    cookie = {"Cookie": f"{alice.cookie.name}={alice.token}"}
    socket = RawPollingSocket.of(server.url, handshake(server.url, **cookie).text, cookie)
    socket.sends("40")
    socket.hears("40{")
    assert bob.gets(socket.path).status == 400
    assert bob.asks("POST", socket.path, data=event(1, "check", {"connection": FIRST})).status == 400
    socket.sends(event(2, "check", {"connection": FIRST}))
    assert socket.ack(2)["ok"] is True


def test_the_id_of_a_polling_socket_upgrades_nobody_elses(make_server):
    server = make_server(**PROXY).starts()
    mine = {"X-Forwarded-For": "203.0.113.9"}
    socket = RawPollingSocket.of(server.url, handshake(server.url, **mine).text, mine)
    socket.signs_in(server.signs_in("alice").token)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    place = socket.path.replace("transport=polling", "transport=websocket")
    thief = {"X-Forwarded-For": "198.51.100.7"}
    assert server.visitor().gets(place, headers={**upgrade, **thief}).status == 400
    socket.sends(event(2, "check", {"connection": FIRST}))
    assert socket.ack(2)["ok"] is True
