"""The list of connections is taken up while the server runs; a broken one leaves the last good one."""

import pytest

from support.cases import brief
from support.server import RELOAD_SECONDS, SESSIONS
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
ADDED = "vpn main 9;vpn sub 9"

BROKEN = [
    (SESSIONS + "vpn main 1;vpn sub 1\n", 6),
    (SESSIONS + "\nvpn main 8\n", 7),
    (SESSIONS + "vpn main 8;\n", 6),
    (";vpn sub 1\n" + SESSIONS, 1),
    (SESSIONS + "x" * 100_000 + ";b\n", 6),
    (SESSIONS.encode() + b"vpn main 8;\xe4\n", 6),
    (SESSIONS + '"vpn main 8;a\n', 6),
]


def soon(look):
    """What a promise of two seconds means."""
    return eventually(look, within=RELOAD_SECONDS)


def is_degraded(server, file, line):
    """Whether `/readyz` names that line of a list."""
    place = f"{file}: line {line} "
    return server.readiness()["status"] == "degraded" and any(place in told for told in server.findings("config"))


def test_a_saved_list_reaches_the_api(server, alice):
    server.writes("sessions.csv", SESSIONS + ADDED + "\n")
    soon(lambda: ADDED in alice.board())
    assert alice.checks(ADDED).session
    assert list(alice.board())[-1] == ADDED


@pytest.mark.parametrize("way", ["websocket", "polling"])
def test_a_saved_list_reaches_open_sockets(server, alice, connect, way):
    socket = connect(server, alice, way=way)
    socket.board()
    server.writes("sessions.csv", ADDED + "\n" + SESSIONS)
    soon(lambda: list(socket.view())[:2] == [ADDED, FIRST])
    server.writes("sessions.csv", SESSIONS)
    soon(lambda: ADDED not in socket.view())
    assert socket.checks(FIRST).session


def test_a_list_that_is_replaced_by_another_file_is_taken_up(server, alice):
    (server.folder / "new").write_text(ADDED + "\n")
    (server.folder / "new").rename(server.config_dir / "sessions.csv")
    soon(lambda: list(alice.board()) == [ADDED])


@pytest.mark.parametrize(
    "content, expected",
    [
        ("\ufeffa;b\r\nc;d\r\n", ["a;b", "c;d"]),
        ("# a remark\n\n  \na,b\n", ["a;b"]),
        ('"Ulm, Klinikum","PACS ""Nord"""\n', ['Ulm, Klinikum;PACS "Nord"']),
        ("Ulm, Klinikum;PACS\n", ["Ulm, Klinikum;PACS"]),
        ("a;b;3", ["a;b"]),
        ("äöü;\N{LOCK}\n", ["äöü;\N{LOCK}"]),
        ("", []),
    ],
)
def test_lists_are_read_as_people_write_them(make_server, content, expected):
    server = make_server(sessions=content).starts()
    assert list(server.signs_in("alice").board()) == expected


@pytest.mark.parametrize("content, line", BROKEN, ids=brief)
def test_a_broken_list_leaves_the_last_good_one_and_says_so(lasting_server, content, line):
    alice = lasting_server.signs_in("alice")
    lasting_server.writes("sessions.csv", content)
    soon(lambda: is_degraded(lasting_server, "sessions.csv", line))
    assert len(alice.board()) == 5
    assert alice.unchecks(alice.checks(FIRST).session).session
    assert lasting_server.says("sessions.csv", f"line {line} ")
    told = str(lasting_server.readiness())
    assert "vpn " not in told and str(lasting_server.folder) not in told, "anybody may read it"


def test_a_list_that_was_mended_is_taken_up(server, alice):
    session = alice.checks(FIRST).session
    server.writes("sessions.csv", "broken\n")
    soon(lambda: is_degraded(server, "sessions.csv", 1))
    server.writes("sessions.csv", SESSIONS + ADDED + "\n")
    soon(lambda: server.readiness() == {"status": "ok", "findings": []})
    assert ADDED in alice.board() and alice.board()[FIRST]["sessions"] == [session]


def test_a_list_that_is_gone_leaves_the_last_good_one(server, alice):
    (server.config_dir / "sessions.csv").unlink()
    soon(lambda: server.readiness()["status"] == "degraded")
    assert any("sessions.csv" in detail for detail in server.findings("config"))
    assert alice.checks(FIRST).session
    server.writes("sessions.csv", SESSIONS)
    soon(lambda: server.readiness()["status"] == "ok")


def test_admins_are_told_on_the_board_and_others_are_not(server, connect):
    admin, member = connect(server, server.signs_in("dave")), connect(server, server.signs_in("alice"))
    assert admin.board()["findings"] == []
    member.board()
    server.writes("sessions.csv", "broken\n")
    told = soon(lambda: admin.told("findings"))[-1]["findings"]
    assert any("sessions.csv" in finding["detail"] and finding["since"] for finding in told)
    late = connect(server, server.signs_in("dave"))
    assert late.board()["findings"] == told
    server.writes("sessions.csv", SESSIONS)
    soon(lambda: admin.told("findings")[-1]["findings"] == [])
    assert member.told("findings") == []
    assert all(board["findings"] == [] for board in member.told("board"))


def retires(server, alice, connection=FIRST):
    """Takes a connection out of the list while somebody is on it."""
    kept = [line for line in SESSIONS.splitlines(keepends=True) if not line.startswith(connection)]
    server.writes("sessions.csv", "".join(kept))
    soon(lambda: alice.board().get(connection, {"retired": True})["retired"])


def test_a_connection_that_somebody_is_on_is_retired(server, alice, bob, connect):
    socket = connect(server, bob)
    session = alice.checks(FIRST).session
    socket.sees(FIRST, "alice")
    retires(server, alice)
    line = alice.board()[FIRST]
    assert (line["retired"], line["sessions"]) == (True, [session])
    assert list(alice.board())[-1] == FIRST, "retired ones come last"
    soon(lambda: socket.view()[FIRST]["retired"])


def test_a_retired_connection_can_be_unchecked_and_nothing_else(server, way_in):
    alice, bob = way_in(server, "alice"), way_in(server, "bob")
    watching = server.signs_in("carol")
    session = alice.checks(FIRST).session
    retires(server, watching)
    alice.notes(session, "changed").is_refused("unknown_connection")
    alice.checks(FIRST).is_refused("unknown_connection")
    bob.checks(FIRST).is_refused("unknown_connection")
    bob.takes_over(FIRST).is_refused("unknown_connection")
    assert watching.holders(FIRST) == ["alice"]
    server.restarts()
    assert watching.board()[FIRST]["retired"]
    assert server.signs_in("alice").unchecks(session).session["ended_by"] == "alice"
    assert FIRST not in watching.board()
    eventually(lambda: server.share.has(session))


def test_a_retired_connection_is_gone_from_open_sockets_when_it_is_unchecked(server, alice, bob, connect):
    socket = connect(server, bob)
    session = alice.checks(FIRST).session
    retires(server, alice)
    alice.unchecks(session)
    eventually(lambda: socket.told("board") and FIRST not in socket.view())


def test_a_connection_that_comes_back_is_as_it_was(server, alice, bob):
    session = alice.checks(FIRST, note="still here").session
    retires(server, alice)
    server.writes("sessions.csv", SESSIONS)
    soon(lambda: not alice.board()[FIRST]["retired"])
    assert alice.board()[FIRST]["sessions"] == [session]
    assert bob.takes_over(FIRST).session


def test_a_connection_that_was_retired_while_the_server_was_down(server, alice):
    session = alice.checks(FIRST).session
    server.stops()
    server.writes("sessions.csv", ADDED + "\n")
    server.starts()
    assert [(name, line["retired"]) for name, line in alice.board().items()] == [(ADDED, False), (FIRST, True)]
    assert alice.unchecks(session).session
    assert list(alice.board()) == [ADDED]


def test_less_room_than_there_are_users_ends_nobody(server, alice, bob, carol):
    jump_host = "vpn main 3;jump host"
    alice.checks(jump_host)
    bob.checks(jump_host)
    server.writes("sessions.csv", SESSIONS.replace("jump host;2", "jump host"))
    soon(lambda: alice.board()[jump_host]["capacity"] == 1)
    assert alice.holders(jump_host) == ["alice", "bob"]
    carol.checks(jump_host).is_refused("taken")
