"""The live board by the official Python client: over WebSocket, long-polling, and from one to the other."""

import time
from functools import cache

import pytest

from support.access_tokens import claims, signed
from support.people import Person
from support.server import SECRET_KEY, SESSIONS, password_of
from support.sockets import WAYS, Refused, Socket
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"


@pytest.fixture(scope="module")
def lasting_socket(lasting_server):
    """Sockets of Alice's that are still there after whatever they sent."""
    alice = lasting_server.signs_in("alice")
    return cache(lambda way: Socket(lasting_server.url, token=alice.token, way=way).connects())


every_way = pytest.mark.parametrize("way", WAYS)


@every_way
@pytest.mark.parametrize("token", [None, "", "abc", 7, ["a"]])
def test_without_a_sign_in_nobody_comes_in(lasting_server, connect, way, token):
    with pytest.raises(Refused) as refused:
        connect(lasting_server, way=way, auth={} if token is None else {"token": token})
    error = refused.value.error
    assert error["message"]
    assert error["data"]["code"] == ("unauthorized" if token is None or isinstance(token, str) else "bad_request")


def test_a_token_that_has_ended_does_not_come_in(server, alice, connect):
    server.writes("users.txt", "bob\n")
    eventually(lambda: alice.gets("/api/test").status == 401)
    with pytest.raises(Refused) as refused:
        connect(server, alice)
    assert refused.value.error["data"]["code"] == "unauthorized"


@every_way
def test_the_board_comes_first(server, alice, bob, connect, way):
    session = bob.checks(FIRST, note="mine").session
    socket = connect(server, alice, way=way)
    board = socket.board()
    over_http = alice.gets("/api/v1/connections").is_done()
    assert {name: board[name] for name in over_http} == over_http
    assert board["me"] == {"user": "alice", "role": "member"}
    assert len(board["connections"]) == len(SESSIONS.splitlines())
    assert board["connections"][0]["sessions"] == [session]


@every_way
def test_the_cookie_of_a_browser_lets_its_socket_in(server, connect, way):
    browser = server.signs_in_browser("alice")
    socket = connect(server, cookie=browser.cookie, way=way)
    assert socket.board()["me"]["user"] == "alice"
    assert socket.checks(FIRST).session["source"] == "page"


def test_the_token_in_the_cookie_lets_a_program_in_too(server, connect):
    browser = server.signs_in_browser("alice")
    socket = connect(server, Person(server.url, "alice", browser.token))
    assert socket.board()["me"]["user"] == "alice"


@pytest.mark.parametrize("header, before", [("x-access-tokens", ""), ("Authorization", "Bearer ")])
def test_a_program_may_send_its_token_as_a_header(server, alice, connect, header, before):
    socket = connect(server, headers={header: before + alice.token})
    assert socket.checks(FIRST).session["user"] == "alice"


@every_way
def test_others_see_at_once_what_one_does(server, alice, bob, connect, way):
    actor, watcher = connect(server, alice, way=way), connect(server, bob, way=way)
    watcher.board()
    session = actor.checks(FIRST, note="a").session
    watcher.sees(FIRST, "alice")
    assert watcher.view()[FIRST]["sessions"] == [session]
    actor.notes(session, "b")
    eventually(lambda: watcher.view()[FIRST]["sessions"][0]["note"] == "b")
    taken = watcher.takes_over(FIRST, note="c").session
    actor.sees(FIRST, "bob")
    assert actor.view()[FIRST]["sessions"] == [taken]
    watcher.leaves_connection(FIRST)
    actor.sees(FIRST)


@every_way
def test_what_is_done_over_http_is_seen_too(server, alice, bob, connect, way):
    watcher = connect(server, bob, way=way)
    watcher.board()
    session = alice.checks(FIRST).session
    watcher.sees(FIRST, "alice")
    alice.unchecks(session)
    watcher.sees(FIRST)


def test_changes_carry_whole_connections_with_rising_numbers(server, alice, bob, connect):
    watcher = connect(server, bob)
    begun = watcher.board()["seq"]
    for _ in range(5):
        alice.unchecks(alice.checks(FIRST).session)
    eventually(lambda: watcher.seq() >= begun + 10)
    numbers = [begun] + [change["seq"] for change in watcher.told("changes")]
    assert numbers == sorted(set(numbers))
    for change in watcher.told("changes"):
        for connection in change["connections"]:
            assert connection.keys() == {"id", "main", "sub", "capacity", "retired", "sessions", "waiting"}


@every_way
def test_a_long_list_reaches_everybody(make_server, connect, way):
    ids = [f"client {number // 7};vpn {number}" for number in range(3_000)]
    server = make_server(sessions="".join(f"{name}\n" for name in ids)).starts()
    socket = connect(server, server.signs_in("alice"), way=way)
    assert [connection["id"] for connection in socket.board()["connections"]] == ids
    assert socket.checks(ids[-1]).session
    socket.sees(ids[-1], "alice")


# Refusals have the codes of the HTTP API (test_board.py has the others).


def test_an_uncheck_of_a_free_connection_is_not_checked(server, alice, connect):
    connect(server, alice).leaves_connection(FIRST).is_refused("not_checked")


def test_an_uncheck_of_anothers_connection_is_forbidden(server, alice, bob, connect):
    alice.checks(FIRST)
    connect(server, bob).leaves_connection(FIRST).is_refused("forbidden")
    connect(server, bob).leaves_connection("no;such").is_refused("unknown_connection")


def test_an_admin_names_the_session_that_ends(server, alice, dave, connect):
    session = alice.checks(FIRST).session
    admin = connect(server, dave)
    admin.leaves_connection(FIRST).is_refused("forbidden")
    assert admin.unchecks(session).session["ended_by"] == "admin:dave"


def test_a_session_names_its_note_as_well(server, alice, connect):
    socket = connect(server, alice)
    session = socket.checks(FIRST).session
    assert socket.asks("note", {"session": session["id"], "note": "b"}).session["note"] == "b"


@every_way
@pytest.mark.parametrize("event", ["nonsense", "board", "changes", "disconnecting", "", "CHECK"])
def test_an_event_that_is_none_is_a_bad_request(lasting_socket, way, event):
    socket = lasting_socket(way)
    socket.asks(event, {"connection": FIRST}).is_refused("bad_request")
    socket.leaves_connection(FIRST).is_refused("not_checked")


@pytest.mark.parametrize("event", ["check", "uncheck", "take_over", "note"])
@pytest.mark.parametrize(
    "content",
    [
        None,
        7,
        "text",
        True,
        [],
        [[]],
        {},
        {"connection": 7},
        {"connection": None},
        {"session": 7},
        {"note": {}},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_an_argument_that_means_nothing_is_a_bad_request(lasting_socket, event, content):
    socket = lasting_socket("websocket")
    socket.asks(event, content).is_refused("bad_request")
    socket.leaves_connection(FIRST).is_refused("not_checked")


def test_an_event_without_an_ack_is_done_all_the_same(server, alice, bob, connect):
    socket = connect(server, alice)
    socket.client.emit("check", {"connection": FIRST})
    eventually(lambda: bob.holders(FIRST) == ["alice"])


# Coming back.


@every_way
def test_who_comes_back_gets_what_was_missed_and_no_more(server, alice, bob, connect, way):
    socket = connect(server, bob, way=way)
    board = socket.board()
    socket.leaves()
    alice.checks(FIRST)
    alice.unchecks(alice.checks(SECOND).session)
    back = connect(server, bob, way=way, auth={"token": bob.token, "epoch": board["epoch"], "seq": board["seq"]})
    missed = eventually(lambda: back.told("changes"))[0]
    assert {connection["id"] for connection in missed["connections"]} == {FIRST, SECOND}
    assert back.holders(FIRST) == ["alice"] and back.holders(SECOND) == []
    assert missed["seq"] == board["seq"] + 3
    alice.checks(SECOND)
    back.sees_change(SECOND, "alice")
    assert back.told("board") == []


def test_who_missed_nothing_goes_on_without_a_board(server, alice, bob, connect):
    socket = connect(server, bob)
    board = socket.board()
    socket.leaves()
    back = connect(server, bob, auth={"token": bob.token, "epoch": board["epoch"], "seq": board["seq"]})
    alice.checks(FIRST)
    back.sees_change(FIRST, "alice")
    assert back.told("board") == []
    assert [change["connections"] for change in back.told("changes") if change["seq"] == board["seq"]] in ([], [[]])


@pytest.mark.parametrize(
    "known", [{"epoch": "another"}, {"seq": 10**9}, {"epoch": ""}, {"seq": None}, {"epoch": None}], ids=str
)
def test_who_knows_another_board_gets_the_whole_one(server, alice, bob, connect, known):
    socket = connect(server, bob)
    board = socket.board()
    socket.leaves()
    alice.checks(FIRST)
    auth = {"token": bob.token, "epoch": board["epoch"], "seq": board["seq"], **known}
    back = connect(server, bob, auth={name: value for name, value in auth.items() if value is not None})
    assert len(back.board()["connections"]) == len(board["connections"])
    assert back.holders(FIRST) == ["alice"]


@pytest.mark.parametrize("known", [{"seq": -1}, {"seq": "1"}, {"seq": 1.5}, {"epoch": 7}], ids=str)
def test_who_says_what_cannot_be_known_is_told_so(lasting_server, connect, known):
    bob = lasting_server.signs_in("bob")
    with pytest.raises(Refused) as refused:
        connect(lasting_server, bob, auth={"token": bob.token, "epoch": "a", "seq": 1, **known})
    assert refused.value.error["data"]["code"] == "bad_request"


def test_who_missed_another_list_gets_the_whole_board(server, bob, connect):
    socket = connect(server, bob)
    board = socket.board()
    socket.leaves()
    server.writes("sessions.csv", "a;b\n")
    eventually(lambda: list(bob.board()) == ["a;b"])
    back = connect(server, bob, auth={"token": bob.token, "epoch": board["epoch"], "seq": board["seq"]})
    assert [connection["id"] for connection in back.board()["connections"]] == ["a;b"]


@pytest.mark.parametrize("ending", ["restarts", "comes_back_after_a_kill"])
def test_the_epoch_outlives_a_restart(server, alice, bob, connect, ending):
    socket = connect(server, bob)
    board = socket.board()
    alice.checks(FIRST)
    socket.sees(FIRST, "alice")
    seq = socket.seq()
    getattr(server, ending)()
    assert bob.gets("/api/v1/connections").is_done()["epoch"] == board["epoch"]
    alice.checks(SECOND)
    back = connect(server, bob, auth={"token": bob.token, "epoch": board["epoch"], "seq": seq})
    back.sees_change(SECOND, "alice")
    assert back.seq() > seq


@pytest.mark.parametrize("way", ["websocket", "polling"])
def test_a_socket_ends_with_the_token_it_came_with(server, alice, connect, way):
    ends_soon = {**claims(alice.token), "exp": int(time.time()) + 3}
    socket = connect(server, Person(server.url, "alice", signed(ends_soon, SECRET_KEY)), way=way)
    lasting = connect(server, alice, way=way)
    socket.board()
    socket.ends()
    assert lasting.checks(FIRST).session


def test_another_data_directory_has_another_epoch(make_server):
    epochs = set()
    for _ in range(2):
        server = make_server().starts()
        server.signs_in("alice").checks(FIRST)
        epochs.add(server.signs_in("alice").gets("/api/v1/connections").is_done()["epoch"])
    assert len(epochs) == 2


def test_a_socket_ends_with_its_sign_in(server, connect):
    browser = server.signs_in_browser("alice")
    socket = connect(server, cookie=browser.cookie)
    server.runs("user", "set-password", "alice", given=password_of("alice")).is_done()
    socket.ends()
    with pytest.raises(Refused):
        connect(server, cookie=browser.cookie)


def test_one_socket_too_many_is_ended_and_the_others_live_on(make_server, connect):
    server = make_server(
        toml="[limits]\nsockets = 2\n[socket]\nping_interval_ms = 500\nping_timeout_ms = 500\n"
    ).starts()
    alice = server.signs_in("alice")
    first, second = connect(server, alice), connect(server, alice)
    with pytest.raises(Refused):
        connect(server, alice)
    assert first.checks(FIRST).session
    second.sees(FIRST, "alice")
    second.leaves()
    eventually(lambda: connects(connect, server, alice))


def connects(connect, server, person):
    try:
        return connect(server, person)
    except Refused:
        return None
