"""Single sign-on, against a real provider on loopback."""

from urllib.parse import parse_qs, urlsplit

import pytest

from support.provider import Provider, Traveller
from support.server import USERS
from support.waiting import eventually

PEOPLE = {
    "alice": {"preferred_username": "Alice", "groups": ["staff"]},
    "bob": {"preferred_username": "bob"},
    "carol": {"preferred_username": "carol", "groups": []},
    "dave": {"preferred_username": "dave", "groups": []},
    "erin": {"preferred_username": "erin", "groups": ["vpn-auditors"]},
    "frank": {"email": "frank@example.com", "email_verified": True, "groups": ["vpn-admins"]},
    "mallory": {"email": "frank@example.com", "email_verified": False},
    "promon": {"preferred_username": "promon"},
    "stranger": {"preferred_username": "<b>stranger</b>"},
}


@pytest.fixture(scope="module")
def make_provider(tmp_path_factory):
    """Makes providers that know everybody, not started yet."""
    made = []

    def make():
        made.append(Provider(tmp_path_factory.mktemp("provider"), PEOPLE))
        return made[-1]

    yield make
    for provider in made:
        provider.stops()


@pytest.fixture(scope="module")
def provider(make_provider):
    return make_provider()


@pytest.fixture(scope="module")
def server(make_lasting_server, provider):
    """A server whose people come by single sign-on, who must have an account."""
    server = make_lasting_server(
        users=USERS + "frank@example.com;member\n",
        **provider.settings(
            OIDC_ROLE_CLAIM="groups", OIDC_AUDITOR_VALUES="vpn-auditors", OIDC_ADMIN_VALUES="root, vpn-admins"
        ),
    )
    provider.starts(f"{server.url}/login/callback")
    return server.starts()


@pytest.fixture
def browser(server):
    return Traveller(server.url)


def is_refused(answer, status, words):
    assert answer.status == status, answer
    assert words in answer.text
    return answer


def test_who_has_an_account_comes_in(server, browser):
    assert "/login/single-sign-on?next=" in browser.gets("/login").text
    answer = browser.signs_on("alice")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    me = browser.gets("/api/v1/me").is_done()
    assert (me["user"], me["role"]) == ("alice", "member")
    assert [own["proof"] for own in browser.sign_ins() if own["current"]] == ["single_sign_on"]
    browser.signs_out()
    browser.gets("/api/v1/me").is_refused("unauthorized")


def test_who_comes_goes_where_they_wanted_and_nowhere_else(server):
    for wanted, reached in (("/audit", "/audit"), ("//evil.example", "/"), ("https://evil.example", "/")):
        answer = Traveller(server.url).signs_on("carol", f"/login/single-sign-on?next={wanted}")
        assert answer.headers["Location"] == reached


def test_the_provider_is_asked_with_state_nonce_and_pkce(server, browser):
    asked = parse_qs(urlsplit(browser.leaves()).query)
    again = parse_qs(urlsplit(browser.leaves()).query)
    assert asked["response_type"] == ["code"] and asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{server.url}/login/callback"]
    for fresh in ("state", "nonce", "code_challenge"):
        assert len(asked[fresh][0]) >= 32 and asked[fresh] != again[fresh]


def test_who_is_unknown_is_told_whom_to_ask(server, browser):
    answer = is_refused(browser.signs_on("stranger"), 403, "Ask an admin")
    assert "<b>stranger" not in answer.text
    browser.gets("/api/v1/me").is_refused("unauthorized")
    is_refused(Traveller(server.url).signs_on("mallory"), 403, "no user name")
    is_refused(Traveller(server.url).signs_on("erin"), 403, "Ask an admin")


def test_the_service_user_comes_by_password_alone(browser):
    is_refused(browser.signs_on("promon"), 403, "Ask an admin")


def test_who_is_disabled_is_out_at_once_and_stays_out(server):
    browser = Traveller(server.url)
    browser.signs_on("bob")
    dave = server.signs_in("dave")
    dave.disables("bob").is_done()
    browser.gets("/api/v1/me").is_refused("unauthorized")
    is_refused(browser.signs_on("bob"), 403, "Ask an admin")
    dave.changes("bob", disabled=False).is_done()


def test_a_role_comes_from_the_claim_unless_the_file_gives_one(server):
    dave = server.signs_in("dave")
    dave.adds("erin")
    browser = Traveller(server.url)
    browser.signs_on("erin")
    assert browser.gets("/api/v1/me").is_done()["role"] == "auditor"
    for name, role in (("frank", "member"), ("carol", "auditor"), ("dave", "admin")):
        browser = Traveller(server.url)
        assert browser.signs_on(name).status == 303
        assert browser.gets("/api/v1/me").is_done()["role"] == role


def test_a_way_back_is_used_once_and_by_the_browser_that_left(server, browser):
    back = browser.proves(browser.leaves(), "alice")
    is_refused(Traveller(server.url).comes_back(back), 400, "Please sign in again")
    assert browser.comes_back(back).status == 303
    is_refused(browser.comes_back(back), 400, "Please sign in again")


@pytest.mark.parametrize("query", ["", "?code=x", "?state=", "?code=x&state=0123456789abcdef0123456789abcdef"])
def test_a_way_back_that_nobody_went_leads_nowhere(server, browser, query):
    is_refused(browser.gets(f"/login/callback{query}"), 400, "Please sign in again")
    browser.leaves()
    is_refused(browser.gets(f"/login/callback{query}"), 400, "Please sign in again")


def test_what_the_provider_does_not_confirm_is_refused_without_its_words(server):
    denied = "error=access_denied&error_description=secret-words"
    for answer in ("code=made-up", denied, "code=x&iss=http://evil.example"):
        browser = Traveller(server.url)
        (state,) = parse_qs(urlsplit(browser.leaves()).query)["state"]
        refusal = is_refused(browser.gets(f"/login/callback?{answer}&state={state}"), 403, "ask an admin")
        assert "secret-words" not in refusal.text and "invalid_grant" not in refusal.text
        browser.gets("/api/v1/me").is_refused("unauthorized")


@pytest.fixture(scope="module")
def misled(make_lasting_server, make_provider):
    """A server whose provider lies."""
    provider = make_provider().lies()
    return make_lasting_server(**provider.settings()).starts()


def with_token(server, lie):
    """Comes back with an ID token that holds but for that lie."""
    browser = Traveller(server.url)
    asked = parse_qs(urlsplit(browser.leaves()).query)
    (state,), (nonce,) = asked["state"], asked["nonce"]
    return browser, browser.gets(f"/login/callback?state={state}&code={lie}.{nonce}")


def test_an_id_token_that_holds_lets_in(misled):
    browser, answer = with_token(misled, "none")
    assert answer.status == 303
    assert browser.gets("/api/v1/me").is_done()["user"] == "alice"


LIES = ("nonce", "no-nonce", "issuer", "audience", "more-audiences", "expired", "no-expiry", "key")
LIES += ("unsigned", "secret-as-key", "public-key-as-secret")


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_does_not_hold_lets_nobody_in(misled, lie):
    browser, answer = with_token(misled, lie)
    is_refused(answer, 403, "ask an admin")
    browser.gets("/api/v1/me").is_refused("unauthorized")


def test_a_provider_of_another_name_is_not_believed(make_server, make_provider):
    provider = make_provider().lies()
    server = make_server(**provider.settings(OIDC_ISSUER=f"{provider.url}/")).starts()
    is_refused(Traveller(server.url).gets("/login/single-sign-on"), 503, "does not answer")


def test_each_sign_on_is_another_sign_in_and_ends_the_one_before(browser):
    browser.signs_on("alice")
    before = browser.client.cookies["vpn_sessions"]
    browser.signs_on("alice")
    assert browser.client.cookies["vpn_sessions"] != before
    assert "vpn_sessions_sign_on" not in browser.client.cookies


def test_accounts_are_made_where_that_is_set(make_server, make_provider):
    provider = make_provider()
    server = make_server(**provider.settings(OIDC_CREATE_ACCOUNTS="yes", OIDC_USER_CLAIM="sub"))
    provider.starts(f"{server.url}/login/callback")
    server.starts()
    browser = Traveller(server.url)
    assert browser.signs_on("erin").status == 303
    assert browser.gets("/api/v1/me").is_done()["role"] == "member"
    erin = server.signs_in("dave").account("erin")
    assert (erin["listed"], erin["status"]) == (False, "active")


def test_a_provider_that_is_away_keeps_nothing_else_from_working(make_server, make_provider):
    provider = make_provider()
    server = make_server(**provider.settings()).starts()
    is_refused(Traveller(server.url).gets("/login/single-sign-on"), 503, "does not answer")
    server.signs_in("alice").board()

    def codes():
        return [finding["code"] for finding in server.visitor().gets("/readyz").body["findings"]]

    assert "provider_unreachable" in codes()
    provider.starts(f"{server.url}/login/callback")
    eventually(lambda: "provider_unreachable" not in codes(), within=60)
    assert Traveller(server.url).signs_on("alice").status == 303


def test_without_a_provider_there_is_no_such_way(make_server):
    server = make_server().starts()
    assert "single-sign-on" not in server.visitor().gets("/login").text
    for path in ("/login/single-sign-on", "/login/callback?code=x&state=y"):
        assert server.visitor().gets(path).status == 404


def test_a_server_on_the_network_needs_its_address(make_server):
    settings = {"OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b", "LISTEN": "0.0.0.0:5000"}
    server = make_server(OIDC_ISSUER="https://login.example.com", **settings)
    ended = server.runs("config", "check")
    assert ended.code == 1 and "PUBLIC_URL" in ended.output + ended.words
    named = server.runs("config", "check", PUBLIC_URL="https://vpn.example.com")
    assert named.code == 0
    plain = server.runs("config", "check", OIDC_ISSUER="http://login.example.com", PUBLIC_URL="https://vpn.example.com")
    assert plain.code == 1 and "OIDC_ISSUER" in plain.output + plain.words
