"""API tokens: what programs may with them, and when they end."""

import pytest

from support.disk import files_with
from support.people import Person
from support.sockets import Refused
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"


@pytest.fixture
def program(server, dave):
    """Makes programs, each with an API token of an account."""

    def made(*scopes, user="alice", **details):
        token = dave.makes_token(*scopes, user=user, **details)
        return Person(server.url, user, token["token"])

    return made


def test_a_token_is_shown_once_and_listed_without(server, dave, program):
    made = dave.makes_token("board", "messages", user="alice", name="deployment")
    assert made["token"].startswith("vpn_") and len(made["token"]) >= 44
    [listed] = dave.gets("/api/v1/tokens").is_done()["tokens"]
    assert "token" not in listed and made["token"] not in str(listed)
    assert (listed["user"], listed["name"], listed["scopes"]) == ("alice", "deployment", ["messages", "board"])
    assert listed["last_used_at"] is None and not listed["ended"]
    Person(server.url, "alice", made["token"]).gets("/api/test").is_done()
    assert dave.gets("/api/v1/tokens").is_done()["tokens"][0]["last_used_at"]
    server.stops()
    assert files_with(server.folder, made["token"]) == []


def test_a_token_acts_as_its_account_in_either_header_and_outlives_restarts(server, program):
    alice = program("board")
    for headers in ({"x-access-tokens": alice.token}, {"Authorization": f"Bearer {alice.token}"}):
        assert server.visitor().gets("/api/test", headers=headers).is_done() == {"user": "alice", "role": "member"}
    session = alice.checks(FIRST).session
    assert session["user"] == "alice" and session["source"] == "api"
    server.comes_back_after_a_kill()
    assert alice.unchecks(session).session["ended_by"] == "alice"


def test_board_gives_what_the_role_may_and_no_more(server, program, alice):
    session = alice.checks(FIRST).session
    program("board", user="bob").unchecks(session).is_refused("forbidden")
    program("messages", "audit", user="dave").unchecks(session).is_refused("forbidden")
    assert program("board", user="dave").unchecks(session).session["ended_by"] == "admin:dave"


def test_audit_gives_what_the_role_may_and_no_more(program):
    reports = "/api/v1/audit/reports"
    program("audit", user="carol").gets(reports).is_done()
    program("audit", user="alice").gets(reports).is_refused("forbidden")
    program("board", user="carol").gets(reports).is_refused("forbidden")


def test_messages_needs_no_role(program, alice):
    alice.places("hello").is_refused("forbidden")
    sender = program("messages")
    assert sender.places("hello").is_done()["status"] == "held"
    sender.hands_in("hello")
    sender.gets("/api/v1/messages").is_refused("forbidden")
    program("board", "audit", "metrics", user="dave").places("hello").is_refused("forbidden")


@pytest.mark.parametrize("way", ["websocket", "polling"])
def test_a_socket_comes_with_a_token_and_ends_with_it(server, dave, connect, way):
    made = dave.makes_token("board", user="alice")
    socket = connect(server, token=made["token"], way=way)
    assert socket.checks(FIRST).session["user"] == "alice"
    assert dave.asks("DELETE", f"/api/v1/tokens/{made['id']}").status == 204
    socket.ends()
    with pytest.raises(Refused):
        connect(server, token=made["token"], way=way)
    dave.asks("DELETE", f"/api/v1/tokens/{made['id']}").is_refused("unknown_token")


def test_a_socket_needs_the_scope_board(server, connect, program):
    with pytest.raises(Refused) as refused:
        connect(server, token=program("messages", "audit", "metrics").token)
    assert "board" in str(refused.value.error)


@pytest.mark.parametrize(
    "wanted, code",
    [
        ({"scopes": ["board"]}, "bad_request"),
        ({"name": " ", "scopes": ["board"]}, "bad_request"),
        ({"name": "x", "scopes": []}, "bad_request"),
        ({"name": "x", "scopes": ["everything"]}, "bad_request"),
        ({"name": "x", "scopes": ["board"], "expires_at": "2020-01-01"}, "bad_request"),
        ({"name": "x", "scopes": ["board"], "expires_at": "2999-01-01"}, "bad_request"),
        ({"name": "x", "scopes": ["board"], "expires_at": "soon"}, "bad_request"),
        ({"name": "x", "scopes": ["board"], "user": "nobody"}, "unknown_account"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(dave, wanted, code):
    dave.posts("/api/v1/tokens", wanted).is_refused(code)


@pytest.mark.parametrize("is_running", [True, False])
def test_commands_make_list_and_revoke_tokens(server, is_running):
    if not is_running:
        server.stops()
    token = server.runs("token", "create", "nightly", "--scope", "board,messages", "--user", "alice").is_done().strip()
    line = server.runs("token", "list").is_done().strip()
    token_id, user, name, scopes, _ = line.split("\t")
    assert (user, name, scopes) == ("alice", "nightly", "messages,board")
    if not is_running:
        server.starts()
    alice = Person(server.url, "alice", token)
    alice.gets("/api/v1/connections").is_done()
    if not is_running:
        server.stops()
    server.runs("token", "revoke", token_id).is_done()
    server.runs("token", "revoke", token_id).is_refused(token_id)
    if not is_running:
        server.starts()
    eventually(lambda: alice.gets("/api/test").status == 401)
    assert server.runs("token", "create", "x", "--scope", "everything").code == 2


def test_no_api_token_administers(server, program):
    everything = program("messages", "board", "audit", "metrics", user="dave")
    for path in ("/api/v1/accounts", "/api/v1/tokens", "/api/v1/messages"):
        everything.gets(path).is_refused("forbidden")
    arguments = ["--server", server.url, "--token", everything.token]
    server.runs("user", "list", *arguments).is_refused("admins")


@pytest.mark.parametrize("token", ["vpn_", "vpn_" + "0" * 64, "vpn_' OR 1=1", "VPN_", "vpn_" + "x" * 10_000])
def test_a_token_that_is_none_is_no_sign_in(lasting_server, token):
    answer = lasting_server.visitor().gets("/api/test", headers={"x-access-tokens": token})
    assert answer.status in (401, 431), answer
