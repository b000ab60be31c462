"""Where one is signed in, what ends a sign-in, and what is kept of those who came."""

from support.disk import files_with, records_of
from support.server import SERVICE_PASSWORD, password_of
from support.waiting import eventually

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"


def test_each_sign_in_is_listed_and_can_be_ended(server, connect):
    here, there = server.browser(), server.signs_in_browser("alice")
    here.client.headers["User-Agent"] = FIREFOX
    here.signs_in("alice", password_of("alice"))
    listed = {sign_in["current"]: sign_in for sign_in in here.sign_ins()}
    assert (listed[True]["browser"], listed[True]["proof"]) == ("Firefox on Windows", "password")
    assert listed[True]["address"] == "127.0.0.1"
    assert listed[True]["last_used_at"] >= listed[True]["at"]
    socket = connect(server, cookie=there.cookie, headers={"Origin": server.url})
    assert here.asks("DELETE", f"/api/v1/me/sign-ins/{listed[False]['id']}").status == 204
    socket.ends()
    assert there.gets("/").status == 303 and here.gets("/").status == 200
    here.asks("DELETE", f"/api/v1/me/sign-ins/{listed[False]['id']}").is_refused("unknown_sign_in")


def test_nobody_ends_the_sign_ins_of_others(server, dave):
    alice, bob = server.signs_in_browser("alice"), server.signs_in_browser("bob")
    [of_alice] = alice.sign_ins()
    for other in (bob, dave):
        other.asks("DELETE", f"/api/v1/me/sign-ins/{of_alice['id']}").is_refused("unknown_sign_in")
    assert alice.gets("/").status == 200


def test_one_signs_out_everywhere_else(server):
    here, *others = [server.signs_in_browser("alice") for _ in range(3)]
    bob = server.signs_in_browser("bob")
    assert here.asks("DELETE", "/api/v1/me/sign-ins").status == 204
    assert [browser.gets("/").status for browser in others] == [303, 303]
    assert (here.gets("/").status, bob.gets("/").status) == (200, 200)
    assert [sign_in["current"] for sign_in in here.sign_ins()] == [True]


def test_who_just_picked_a_name_ends_no_sign_in_that_was_proved(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    proved, picked = server.signs_in_browser("dave"), server.signs_in_browser("dave", "")
    assert [sign_in["proof"] for sign_in in picked.sign_ins()] == ["nothing"]
    assert len(proved.sign_ins()) == 2
    picked.asks("DELETE", "/api/v1/me/sign-ins").is_refused("forbidden")
    [own] = [sign_in for sign_in in proved.sign_ins() if sign_in["proof"] == "password"]
    picked.asks("DELETE", f"/api/v1/me/sign-ins/{own['id']}").is_refused("unknown_sign_in")
    assert proved.gets("/people").status == 200


def test_each_sign_in_has_an_id_of_its_own_and_ends_the_one_before(server):
    browser, elsewhere = server.signs_in_browser("alice"), server.signs_in_browser("alice")
    before = browser.cookie
    browser.signs_in("alice", password_of("alice"))
    assert browser.token != before.value, "nobody can plant a sign-in beforehand"
    assert server.visitor().gets("/", cookies={before.name: before.value}).status == 303
    assert (browser.gets("/").status, elsewhere.gets("/").status) == (200, 200)


def test_an_api_token_and_a_program_have_no_sign_in(server, dave, alice):
    token = dave.makes_token("board", user="alice")["token"]
    server.visitor().gets("/api/v1/me/sign-ins", headers={"x-access-tokens": token}).is_refused("forbidden")
    assert alice.sign_ins() == []


def test_another_password_ends_access_tokens_too(server, dave, alice, connect):
    socket = connect(server, alice)
    dave.asks("PUT", "/api/v1/accounts/alice/password", json={"password": "a completely new password"})
    socket.ends()
    alice.gets("/api/test").is_refused("unauthorized")


def test_another_service_password_ends_what_the_one_before_let_in(server, promon):
    browser = server.signs_in_browser("promon")
    server.restarts()
    assert promon.gets("/api/test").status == 200 and browser.gets("/").status == 200
    server.stops()
    server.settings["HC_PW"] = "another password of the service user"
    server.starts()
    promon.gets("/api/test").is_refused("unauthorized")
    assert browser.gets("/").status == 303


# The record of access.


def test_who_came_and_who_could_not_is_kept_once(server):
    server.signs_in_browser("alice")
    server.signs_in("bob")
    server.browser().signs_in("alice", "a wrong password")
    server.browser().signs_in("a secret in the wrong field", "x")
    server.logs_in("nobody", "x")
    came = lambda: records_of(server, "access", "signed_in")
    eventually(lambda: {(by["by"]["user"], by["client"]) for by in came()} == {("alice", "browser"), ("bob", "program")})
    failures = lambda: records_of(server, "access", "sign_in_failed")
    eventually(lambda: len(failures()) == 3)
    failed = failures()
    assert [record.get("user") for record in failed] == ["alice", None, None]
    assert {record["address"] for record in failed} == {"127.0.0.1"}
    server.comes_back_after_a_kill()
    server.restarts()
    assert len(came()) == 2 and len(records_of(server, "access", "sign_in_failed")) == 3
    for secret in ("a secret in the wrong field", "a wrong password", password_of("alice"), SERVICE_PASSWORD):
        assert files_with(server.folder, secret) == []


def test_a_refused_audit_is_kept(server, alice):
    alice.gets("/api/v1/audit/reports").is_refused("forbidden")
    assert server.signs_in_browser("bob").gets("/audit").status == 403
    refused = lambda: {(record["by"]["user"], record["what"]) for record in records_of(server, "access", "audit_refused")}
    eventually(lambda: refused() == {("alice", "/api/v1/audit/reports"), ("bob", "/audit")})


def test_changes_of_accounts_are_kept_with_who_did_them(server, dave):
    dave.adds("erin", role="auditor").is_done(201)
    dave.disables("alice", "left us").is_done()
    dave.invites("bob").is_done(201)
    token = dave.makes_token("board", user="bob", name="backup")
    dave.asks("DELETE", f"/api/v1/tokens/{token['id']}")
    by_dave = {"account": {"user": "dave", "address": "127.0.0.1"}}

    def kept():
        changed = records_of(server, "access", "account_changed")
        return [(record["user"], record["change"]) for record in changed if record["by"] == by_dave]

    eventually(lambda: len(kept()) == 6)
    assert kept()[:4] == [
        ("erin", "added"),
        ("erin", {"role": "auditor"}),
        ("alice", {"disabled": {"reason": "left us"}}),
        ("bob", "invited"),
    ]
    created, revoked = (change for _, change in kept()[4:])
    assert created["api_token_created"]["name"] == "backup" and created["api_token_created"]["scopes"] == ["board"]
    assert revoked["api_token_revoked"]["id"] == token["id"]


def test_a_flood_of_failures_is_sixty_records_and_a_count(make_server, at_once):
    server = make_server(TRUSTED_PROXIES="127.0.0.1").starts()
    begun = len(records_of(server, "access", "sign_in_failed"))

    def fails(number):
        # Each from an address of its own: nobody of them has to wait.
        address = {"X-Forwarded-For": f"198.51.100.{number}"}
        server.visitor().asks("POST", "/api/loginUser", auth=(b"nobody", b"x"), headers=address).is_refused("unauthorized")

    at_once([lambda first=first: [fails(17 * first + number) for number in range(17)] for first in range(4)])
    server.stops()
    failed = len(records_of(server, "access", "sign_in_failed")) - begun
    counted = sum(record["count"] for record in records_of(server, "access", "sign_in_failures"))
    assert failed + counted == 68
    # They may fall into two minutes.
    assert failed <= 120


def test_tries_that_had_to_wait_are_counted(server):
    begun = len(records_of(server, "access", "sign_in_failed"))
    tries = [server.visitor().asks("POST", "/api/loginUser", auth=(b"nobody", b"x")).status for _ in range(30)]
    server.stops()
    refused = tries.count(429)
    assert refused and tries.count(401) >= 5
    assert len(records_of(server, "access", "sign_in_failed")) - begun == tries.count(401)
    assert sum(record["count"] for record in records_of(server, "access", "sign_in_failures")) == refused


def test_settings_that_changed_are_kept_without_secrets(server):
    before = records_of(server, "access", "settings_changed")
    assert before[0]["settings"]["HC_PW"] == "***"
    server.restarts()
    assert len(records_of(server, "access", "settings_changed")) == len(before), "nothing changed"
    server.stops()
    server.settings["JWT_MINUTES"] = "5"
    server.starts()
    assert records_of(server, "access", "settings_changed")[-1]["settings"] == {"JWT_MINUTES": "5"}
