"""Attacks on who somebody is: forged tokens, fixed and stolen sign-ins."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from support.access_tokens import claims, encoded, signed
from support.raw_sockets import RawWebSocket
from support.server import SECRET_KEY, password_of

# The version of dave's account, as tokens name it: without it a token is nobody's whatever it says.
VERSION = {}

PROGRAM, BROWSER = "vpn-sessions program", "vpn-sessions browser"


@pytest.fixture(autouse=True)
def version_of_dave(attacked):
    if not VERSION:
        VERSION["ver"] = claims(attacked.signs_in("dave").token)["ver"]


def text(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def says(**changes):
    """What a token of the admin's would say, with some of it changed; `None` leaves it out."""
    now = int(time.time())
    whole = {"iss": "vpn-sessions", "aud": PROGRAM, "sub": "dave", "iat": now, "exp": now + 3600, "jti": "0" * 32}
    whole |= VERSION
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def made(head, said, key=b"", digest=hashlib.sha256):
    """A token with that head, signed by that key."""
    body = encoded(head) + "." + encoded(said)
    return body + "." + text(hmac.new(key, body.encode(), digest).digest())


def unsigned(head):
    return encoded(head) + "." + encoded(says()) + "."


def right():
    return signed(says(), SECRET_KEY)


def tampered():
    head, said, signature = right().split(".")
    changed = encoded({**claims(right()), "sub": "promon"})
    return ".".join([head, changed, signature])


KEY = SECRET_KEY.encode()
FORGED = {
    "alg none": lambda: unsigned({"typ": "JWT", "alg": "none"}),
    "alg None": lambda: unsigned({"typ": "JWT", "alg": "None"}),
    "alg nOnE": lambda: unsigned({"typ": "JWT", "alg": "nOnE"}),
    "alg empty": lambda: unsigned({"typ": "JWT", "alg": ""}),
    "alg missing": lambda: unsigned({"typ": "JWT"}),
    "alg none with a signature": lambda: made({"alg": "none"}, says(), KEY),
    "alg HS384 with the right key": lambda: made({"alg": "HS384"}, says(), KEY, hashlib.sha384),
    "alg HS512 with the right key": lambda: made({"alg": "HS512"}, says(), KEY, hashlib.sha512),
    "alg RS256": lambda: made({"alg": "RS256"}, says(), KEY),
    "alg ES256": lambda: made({"alg": "ES256"}, says(), KEY),
    "alg hs256": lambda: made({"alg": "hs256"}, says(), KEY),
    "a list of algorithms": lambda: made({"alg": ["HS256", "none"]}, says(), KEY),
    "a wrong key": lambda: signed(says(), "another key, long enough to be one of those"),
    "an empty key": lambda: made({"alg": "HS256"}, says(), b""),
    "the sample key": lambda: signed(says(), "secret"),
    "the key and a line end": lambda: signed(says(), SECRET_KEY + "\n"),
    "kid that is a path": lambda: made({"alg": "HS256", "kid": "/dev/null"}, says(), b""),
    "kid that is a query": lambda: made({"alg": "HS256", "kid": "x' UNION SELECT 'k"}, says(), b"k"),
    "a key of its own": lambda: made({"alg": "HS256", "jwk": {"kty": "oct", "k": text(b"k")}}, says(), b"k"),
    "a key from elsewhere": lambda: made({"alg": "HS256", "jku": "http://127.0.0.1:9/k"}, says(), b"k"),
    "a certificate from elsewhere": lambda: made({"alg": "HS256", "x5u": "http://127.0.0.1:9/c"}, says(), b"k"),
    "a critical extension": lambda: made({"alg": "none", "crit": ["b64"], "b64": False}, says(), KEY),
    "expired": lambda: signed(says(exp=int(time.time()) - 1), SECRET_KEY),
    "no expiry": lambda: signed(says(exp=None), SECRET_KEY),
    "an expiry that is a text": lambda: signed(says(exp="never"), SECRET_KEY),
    "an expiry that is negative": lambda: signed(says(exp=-1), SECRET_KEY),
    "an expiry beyond all numbers": lambda: signed(says(exp=10**30), SECRET_KEY),
    "another audience": lambda: signed(says(aud="another service"), SECRET_KEY),
    "no audience": lambda: signed(says(aud=None), SECRET_KEY),
    "an empty audience": lambda: signed(says(aud=""), SECRET_KEY),
    "another issuer": lambda: signed(says(iss="another"), SECRET_KEY),
    "no issuer": lambda: signed(says(iss=None), SECRET_KEY),
    "no subject": lambda: signed(says(sub=None), SECRET_KEY),
    "a subject that is a list": lambda: signed(says(sub=["dave"]), SECRET_KEY),
    "nobody's name": lambda: signed(says(sub="nobody of that name"), SECRET_KEY),
    "no id": lambda: signed(says(jti=None), SECRET_KEY),
    "a browser's, of no sign-in": lambda: signed(says(aud=BROWSER), SECRET_KEY),
    "changed after signing": tampered,
    "a signature cut short": lambda: right()[:-4],
    "a signature left out": lambda: right().rsplit(".", 1)[0],
    "two signatures": lambda: right() + "." + right().rsplit(".", 1)[1],
    "five empty parts": lambda: "....",
    "no base64": lambda: "!!!.###.$$$",
    "no JSON": lambda: ".".join([text(b"{"), text(b"}"), text(b"x")]),
    "very long": lambda: "a" * 16_000 + ".b.c",
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_token_is_nobodys(attacked, case):
    token = FORGED[case]()
    for headers in ({"x-access-tokens": token}, {"Authorization": f"Bearer {token}"}, {"Cookie": f"vpn_sessions={token}"}):
        attacked.visitor().gets("/api/v1/messages", headers=headers).is_refused("unauthorized")


@pytest.mark.parametrize("case", ["alg none", "an empty key", "no expiry", "nobody's name", "very long"])
def test_a_forged_token_opens_no_socket(attacked, case):
    socket = RawWebSocket(attacked.url)
    socket.sends("40" + json.dumps({"token": FORGED[case]()}))
    assert '"code":"unauthorized"' in socket.hears("44")


def test_such_a_token_would_be_good_without_the_change(attacked):
    """So the cases above fail for what they change, and for nothing else."""
    assert attacked.visitor().gets("/api/v1/messages", headers={"x-access-tokens": right()}).status == 200


def test_a_token_of_somebody_who_left_is_nobodys(make_server):
    server = make_server().starts()
    token = server.signs_in("alice").token
    server.writes("users.txt", "bob\n")
    server.restarts()
    server.visitor().gets("/api/test", headers={"x-access-tokens": token}).is_refused("unauthorized")


def test_a_token_in_the_address_is_not_read(attacked):
    token = attacked.signs_in("dave").token
    for name in ("token", "access_token", "x-access-tokens"):
        attacked.visitor().gets(f"/api/test?{name}={token}").is_refused("unauthorized")


# Sign-ins.


def test_a_sign_in_that_was_planted_is_not_used(attacked):
    """Session fixation: whatever cookie a browser comes with, it leaves with a fresh one."""
    attacker = attacked.signs_in_browser("bob")
    victim = attacked.browser()
    victim.client.cookies.set("vpn_sessions", attacker.token)
    assert victim.signs_in("alice", password_of("alice")).status == 303
    tokens = {cookie.value for cookie in victim.client.cookies}
    assert attacker.token not in tokens or len(tokens) > 1
    fresh = next(token for token in tokens if token != attacker.token)
    assert claims(fresh)["sub"] == "alice" and claims(fresh)["jti"] != claims(attacker.token)["jti"]
    # The sign-in that the browser had has ended; it never becomes alice's.
    attacker.gets("/api/v1/me").is_refused("unauthorized")


def test_each_sign_in_has_an_id_of_its_own(attacked):
    ids = {claims(attacked.signs_in_browser("alice").token)["jti"] for _ in range(3)}
    assert len(ids) == 3 and all(len(identity) >= 22 for identity in ids)


def test_a_cookie_is_worth_nothing_after_signing_out(attacked):
    browser = attacked.signs_in_browser("alice")
    stolen = {"Cookie": f"{browser.cookie.name}={browser.token}"}
    assert attacked.visitor().gets("/api/v1/me", headers=stolen).status == 200
    browser.signs_out()
    attacked.visitor().gets("/api/v1/me", headers=stolen).is_refused("unauthorized")


def test_the_cookie_is_out_of_reach_for_scripts(attacked):
    answer = attacked.browser().signs_in("alice", password_of("alice"))
    cookie = answer.headers["Set-Cookie"]
    assert "; HttpOnly" in cookie and "; SameSite=Lax" in cookie and "Domain" not in cookie
    assert answer.text == "" and attacked.signs_in_browser("alice").token not in answer.text


BASIC = {
    "no colon": base64.b64encode(b"alice").decode(),
    "no base64": "%%%",
    "no UTF-8": base64.b64encode(b"\xff\xfe:\xff").decode(),
    "empty": "",
    "a zero byte": base64.b64encode(b"alice\x00:x").decode(),
    "a very long password": base64.b64encode(b"alice:" + b"x" * 20_000).decode(),
}


@pytest.mark.parametrize("case", BASIC)
def test_what_is_no_sign_in_is_refused(attacked, case):
    answer = attacked.visitor().asks("POST", "/api/loginUser", headers={"Authorization": f"Basic {BASIC[case]}"})
    answer.is_refused("unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
