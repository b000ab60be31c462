"""Who may what: every path of the server, and everybody who may ask."""

import re
from pathlib import Path

import pytest

from support.people import Person, Visitor
from support.server import password_of
from support.sockets import Refused

SOURCES = Path(__file__).resolve().parents[1] / "crates/web/src"

# Who asks, in the order of the columns.
ASKERS = ("nobody", "member", "auditor", "admin", "messages", "board", "audit", "metrics")

# For each of them: `.` is let in, 1 is told to sign in (401), 3 may not (403), L is sent to the sign-in page.
# The scopes are those of API tokens of an auditor, as `audit` gives no more than the role.
MATRIX = {
    # Pages.
    "GET /": "L...3.33",
    "GET /audit": "L3..33.3",
    "GET /people": "L33.3333",
    "GET /login": "........",
    "POST /login": "........",
    "GET /login/single-sign-on": "........",
    "GET /login/callback": "........",
    "POST /logout": "LLLLLLLL",
    "GET /invite/{secret}": "........",
    "POST /invite/{secret}": "........",
    "GET /favicon.ico": "........",
    "GET /assets/{name}": "........",
    # Health, and what the API is.
    "GET /healthz": "........",
    "GET /readyz": "........",
    # From this machine, as here, without a token too.
    "GET /metrics": ".33.333.",
    "GET /api/openapi.json": "........",
    # Programs.
    "POST /api/loginUser": "........",
    "GET /api/test": "1.......",
    "POST /api/placeMessage": "133..333",
    # Oneself.
    "GET /api/v1/me": "1.......",
    "GET /api/v1/me/sign-ins": "1...3333",
    "DELETE /api/v1/me/sign-ins": "1...3333",
    "DELETE /api/v1/me/sign-ins/{id}": "1...3333",
    # The board.
    "GET /api/v1/connections": "1...3.33",
    "POST /api/v1/sessions": "1...3.33",
    "DELETE /api/v1/sessions/{id}": "1...3.33",
    "PATCH /api/v1/sessions/{id}": "1...3.33",
    # The audit.
    "GET /api/v1/sessions": "13..33.3",
    "GET /api/v1/audit/records": "13..33.3",
    "GET /api/v1/audit/verify": "13..33.3",
    "GET /api/v1/audit/reports": "13..33.3",
    "GET /api/v1/audit/reports/{name}": "13..33.3",
    # Messages.
    "GET /api/v1/messages": "133.3333",
    "POST /api/v1/messages": "133..333",
    "GET /api/v1/messages/{id}": "133.3333",
    "POST /api/v1/messages/{id}/retry": "133.3333",
    # People.
    "GET /api/v1/accounts": "133.3333",
    "POST /api/v1/accounts": "133.3333",
    "PATCH /api/v1/accounts/{name}": "133.3333",
    "PUT /api/v1/accounts/{name}/password": "133.3333",
    "POST /api/v1/accounts/{name}/invitation": "133.3333",
    "POST /api/v1/invitations": "133.3333",
    "GET /api/v1/tokens": "133.3333",
    "POST /api/v1/tokens": "133.3333",
    "DELETE /api/v1/tokens/{id}": "133.3333",
}

# What is sent along; elsewhere a body that nobody can mean.
SENT = {
    "POST /login": {"data": {"user": "bob", "password": password_of("bob")}},
    "POST /invite/{secret}": {"data": {"password": "a completely new password"}},
    "POST /api/loginUser": {"auth": ("bob", password_of("bob"))},
}


@pytest.fixture(scope="module")
def askers(lasting_server):
    """Everybody, by the name of their column."""
    dave = lasting_server.signs_in("dave")
    by_role = {"member": "alice", "auditor": "carol", "admin": "dave"}
    people = {role: lasting_server.signs_in(name) for role, name in by_role.items()}
    tokens = {scope: dave.makes_token(scope, user="carol")["token"] for scope in ASKERS[4:]}
    programs = {scope: Person(lasting_server.url, "carol", token) for scope, token in tokens.items()}
    return {"nobody": Visitor(lasting_server.url), **people, **programs}


def calls_of(description):
    """Every call that the API's description names."""
    return {f"{method.upper()} {path}" for path, methods in description["paths"].items() for method in methods}


def test_every_call_of_the_api_is_in_the_matrix(lasting_server):
    described = calls_of(lasting_server.visitor().gets("/api/openapi.json").is_done())
    assert described - MATRIX.keys() == set()


def test_every_path_of_the_router_is_in_the_matrix():
    routed = set()
    for source in SOURCES.rglob("*.rs"):
        routed |= set(re.findall(r'\.route\(\s*&?(?:format!\()?"([^"]+)"', source.read_text()))
    routed = {path.replace("{PREFIX}/{{name}}", "/assets/{name}") for path in routed}
    assert len(routed) > 20, "the routes are where they are looked for"
    assert routed - {call.split(" ")[1] for call in MATRIX} == set()


@pytest.mark.parametrize("call", MATRIX)
def test_who_may(askers, call):
    method, path = call.split(" ")
    path = re.sub(r"\{\w+\}", "nothing-of-that-name", path)
    sent = SENT.get(call, {"json": {"nothing": "meant"}} if method != "GET" else {})
    seen = "".join(outcome(askers[asker].asks(method, path, **sent)) for asker in ASKERS)
    assert seen == MATRIX[call], f"{call}, for {ASKERS}"


def outcome(answer):
    """How the door took it; what lies behind it does not matter here."""
    if answer.status == 303 and answer.headers["Location"].startswith("/login"):
        return "L"
    return {401: "1", 403: "3"}.get(answer.status, ".")


def test_who_may_open_a_socket(lasting_server, askers, connect):
    def seen(asker):
        token = getattr(askers[asker], "token", None)
        try:
            connect(lasting_server, token=token).leaves()
            return "."
        except Refused as refused:
            return "1" if "sign in" in str(refused.error) else "3"

    assert "".join(seen(asker) for asker in ASKERS) == "1...3.33"
