"""How programs sign in: HTTP Basic for an access token, and the token from then on."""

import base64
import hashlib
import time
from datetime import datetime

import pytest

from support.access_tokens import claims, encoded, signed
from support.people import Person
from support.server import SECRET_KEY, SERVICE_PASSWORD, password_of


@pytest.mark.parametrize(
    "name, role",
    [("alice", "member"), ("carol", "auditor"), ("dave", "admin"), ("promon", "admin")],
)
def test_every_account_with_a_password_gets_a_token(lasting_server, name, role):
    person = lasting_server.signs_in(name)
    assert person.gets("/api/test").is_done() == {"user": name, "role": role}
    assert person.gets("/api/v1/me").is_done() == {"user": name, "role": role}


@pytest.mark.parametrize(
    "name, password",
    [
        ("alice", "wrong password"),
        ("alice", ""),
        ("alice", password_of("bob")),
        ("nobody", password_of("alice")),
        ("promon", "12345"),
        ("", ""),
    ],
)
def test_a_wrong_password_is_refused_with_a_challenge(lasting_server, name, password):
    answer = lasting_server.logs_in(name, password)
    answer.is_refused("unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "credentials",
    [None, "Basic", "Basic !!!", "Basic " + base64.b64encode(b"no colon").decode(), "Basic /w==", "Bearer abc"],
)
def test_credentials_that_are_none_are_refused_with_a_challenge(lasting_server, credentials):
    headers = {"Authorization": credentials} if credentials else {}
    answer = lasting_server.visitor().asks("POST", "/api/loginUser", headers=headers)
    answer.is_refused("unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_an_account_without_a_password_has_no_way_in(make_server):
    server = make_server(users="alice\nerin\n").starts()
    for password in ("", "erin", password_of("alice")):
        server.logs_in("erin", password).is_refused("unauthorized")


def test_names_are_the_same_whatever_the_case(server):
    alice = server.signs_in("ALICE", password_of("alice"))
    assert alice.gets("/api/test").is_done()["user"] == "alice"


def test_a_password_may_hold_any_character(make_server):
    password = "päss:wörd \N{LOCK} with spaces"
    server = make_server(HC_PW=password).starts()
    assert server.signs_in("promon", password).gets("/api/test").is_done()["user"] == "promon"


@pytest.mark.parametrize(
    "header, before", [("x-access-tokens", ""), ("Authorization", "Bearer "), ("Authorization", "bearer ")]
)
def test_a_token_goes_into_either_header(lasting_server, header, before):
    token = lasting_server.signs_in("alice").token
    answer = lasting_server.visitor().gets("/api/test", headers={header: before + token})
    assert answer.is_done()["user"] == "alice"


@pytest.mark.parametrize(
    "headers", [{}, {"x-access-tokens": ""}, {"Authorization": "Bearer "}, {"x-access-tokens": "abc"}]
)
def test_no_token_is_no_sign_in(lasting_server, headers):
    answer = lasting_server.visitor().gets("/api/test", headers=headers)
    answer.is_refused("unauthorized")
    assert "WWW-Authenticate" in answer.headers


def test_an_expiry_is_told_and_is_an_hour_away(server):
    answer = server.logs_in("alice", password_of("alice")).is_done()
    expires_at = datetime.fromisoformat(answer["expires_at"]).timestamp()
    assert abs(expires_at - time.time() - 3600) < 60
    assert abs(claims(answer["token"])["exp"] - expires_at) < 2


def test_the_life_of_tokens_is_a_setting(make_server):
    server = make_server(JWT_MINUTES=5).starts()
    token = server.signs_in("alice").token
    assert abs(claims(token)["exp"] - time.time() - 300) < 60


def test_tokens_are_hs256_over_the_bytes_of_the_key(server, alice):
    again = Person(server.url, "alice", signed(claims(alice.token), SECRET_KEY))
    assert again.gets("/api/test").is_done()["user"] == "alice"


def test_a_token_that_has_ended_is_refused(server, alice):
    now = int(time.time())
    for expires in (now - 1, now - 86_400, 0):
        ended = Person(server.url, "alice", signed({**claims(alice.token), "exp": expires}, SECRET_KEY))
        ended.gets("/api/test").is_refused("unauthorized")


def test_a_token_that_was_forged_is_refused(server, alice):
    said = claims(alice.token)
    head, body, proof = alice.token.split(".")
    forged = [
        signed(said, "another key, as long as the right one is"),
        signed(said, ""),
        signed(said, SECRET_KEY, algorithm="HS512", digest=hashlib.sha512),
        signed(said, SECRET_KEY, algorithm="none"),
        encoded({"typ": "JWT", "alg": "none"}) + "." + body + ".",
        head + "." + encoded({**said, "sub": "promon"}) + "." + proof,
        head + "." + body,
        head + "." + body + ".",
        signed({**said, "sub": "nobody"}, SECRET_KEY),
        signed({name: value for name, value in said.items() if name != "exp"}, SECRET_KEY),
    ]
    for token in forged:
        Person(server.url, "alice", token).gets("/api/test").is_refused("unauthorized")


def test_a_key_that_is_not_set_is_made_once_and_kept(make_server):
    server = make_server(SECRET_KEY=None).starts()
    alice = server.signs_in("alice")
    server.restarts()
    assert alice.gets("/api/test").is_done()["user"] == "alice"
    readable = [path for path in server.data_dir.rglob("*") if path.stat().st_mode & 0o077]
    assert server.data_dir.stat().st_mode & 0o077 == 0 or not readable, "others can read the key"


def test_a_service_password_that_is_not_set_is_made_and_shown_once(make_server):
    server = make_server(seed=None, HC_PW=None).starts()
    shown = [line for line in server.log.splitlines() if "promon" in line and "password" in line.lower()]
    assert len(shown) == 1, server.log
    password = next(word for word in shown[0].replace(";", " ").replace(",", " ").split() if len(word) >= 16)
    assert server.signs_in("promon", password).gets("/api/test").is_done()["role"] == "admin"
    server.restarts()
    assert server.log.count(password) == 1, "it is shown once"
    assert server.signs_in("promon", password)


def test_the_setting_is_the_only_password_of_the_service_user(make_server):
    server = make_server(seed=None, HC_PW=None).starts()
    shown = server.log
    server.stops()
    server.settings["HC_PW"] = SERVICE_PASSWORD
    server.starts()
    assert server.signs_in("promon")
    made = next(word for word in shown.replace(";", " ").split() if len(word) == 32)
    server.logs_in("promon", made).is_refused("unauthorized")
