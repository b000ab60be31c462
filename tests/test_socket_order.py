"""What one socket sends is done in its order, and all sockets see the same changes in the same order."""

import random

import pytest

from support.raw_sockets import RAW_SOCKETS, event
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"
CONNECTIONS = [FIRST, SECOND, "vpn main 2;vpn sub 1", "vpn main 3;jump host"]

# How often each of three actors acts at the same time: a socket that polls slowly on a busy
# machine still does not have so many packets waiting that it is cut off.
CHANGES = 25


@pytest.mark.parametrize("way", RAW_SOCKETS)
def test_what_is_sent_at_once_is_done_in_order(server, alice, bob, connect, way):
    watcher = connect(server, bob)
    watcher.board()
    socket = RAW_SOCKETS[way](server.url).signs_in(alice.token)
    story = [
        event(number, "check" if number % 2 else "uncheck", {"connection": FIRST, "note": str(number)})
        for number in range(1, 41)
    ]
    socket.sends(*story)
    acks = [socket.ack(number) for number in range(1, 41)]
    assert all(ack["ok"] for ack in acks), acks
    assert [ack["session"]["note"] for ack in acks[::2]] == [str(number) for number in range(1, 41, 2)]
    eventually(lambda: len(server.share.rows()) == 20)
    assert [row["note"] for row in server.share.rows()] == [str(number) for number in range(1, 41, 2)]
    eventually(lambda: watcher.seq() == bob.gets("/api/v1/connections").is_done()["seq"])
    notes = [int(session["note"]) for sessions in seen(watcher, FIRST) for session in sessions]
    assert notes == sorted(set(notes)), "a change was told out of order, or twice"
    assert watcher.holders(FIRST) == []


@pytest.mark.parametrize("way", RAW_SOCKETS)
def test_the_second_of_two_checks_at_once_is_taken(server, alice, way):
    socket = RAW_SOCKETS[way](server.url).signs_in(alice.token)
    check = {"connection": FIRST}
    socket.sends(
        event(1, "check", check), event(2, "check", check), event(3, "uncheck", check), event(4, "check", check)
    )
    assert [socket.ack(number).get("code") for number in (1, 2, 3, 4)] == [None, "taken", None, None]


def seen(socket, connection):
    """What a socket was told of a connection, change by change."""
    changed = [line for change in socket.told("changes") for line in change["connections"]]
    return [line["sessions"] for line in changed if line["id"] == connection]


def acts(socket):
    """Checks, takes over, notes and unchecks as it comes."""
    for number in range(CHANGES):
        connection = random.choice(CONNECTIONS)
        ack = socket.takes_over(connection, note=str(number))
        if ack.content["ok"] and random.random() < 0.5:
            socket.unchecks(ack.session)


def test_everybody_sees_the_same_changes_in_the_same_order(server, connect, at_once):
    people = [server.signs_in(name) for name in ("alice", "bob", "carol")]
    watchers = [connect(server, server.signs_in("dave"), way=way) for way in ("websocket", "polling", "upgrade")]
    actors = [connect(server, person) for person in people]
    for socket in watchers + actors:
        socket.board()
    at_once([lambda actor=actor: acts(actor) for actor in actors])
    last = people[0].gets("/api/v1/connections").is_done()
    eventually(lambda: all(socket.seq() == last["seq"] for socket in watchers + actors))
    for socket in watchers + actors:
        for connection in CONNECTIONS:
            assert seen(socket, connection) == seen(watchers[0], connection)
        assert list(socket.view().values()) == last["connections"]


def test_who_comes_while_others_act_misses_nothing(server, connect, at_once):
    actor = connect(server, server.signs_in("alice"))
    bob = server.signs_in("bob")
    late = []

    def comes_again_and_again():
        for _ in range(15):
            late.append(connect(server, bob))

    at_once([lambda: acts(actor), comes_again_and_again])
    last = bob.gets("/api/v1/connections").is_done()
    for socket in late:
        eventually(lambda socket=socket: socket.told("board") and socket.seq() == last["seq"])
        assert list(socket.view().values()) == last["connections"]
