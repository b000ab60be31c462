"""What stands before everything: who may come from where, and what browsers are told."""

import pytest

from support.raw_sockets import handshake
from support.server import password_of
from support.sockets import Refused

FIRST = "vpn main 1;vpn sub 1"


@pytest.fixture(scope="module")
def trial(make_lasting_server):
    """A server with the settings that are for trying out."""
    return make_lasting_server(HC_PW="12345", SECRET_KEY="secret", BOARD_ACCESS="open").starts()


TRIALS = [{"HC_PW": "12345"}, {"SECRET_KEY": "secret"}, {"BOARD_ACCESS": "open"}]
PATHS = ["/", "/login", "/api/test", "/api/v1/connections", "/api/openapi.json"]
STRANGERS = [
    "board.example.com",
    "rebound.example:5000",
    "127.0.0.1.example.com",
    "127.0.0.2",
    "localhost.example.com",
    "[::2]",
]
FORWARDED = [
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "localhost"},
    {"Forwarded": "for=203.0.113.9"},
]


@pytest.mark.parametrize("setting", TRIALS, ids=str)
def test_each_trial_setting_serves_this_machine_only(make_server, setting):
    server = make_server(**setting).starts()
    server.visitor().gets("/login", headers={"Host": "board.example.com"}).is_refused("forbidden")
    server.visitor().gets("/login", headers={"X-Forwarded-For": "203.0.113.9"}).is_refused("forbidden")
    assert server.visitor().gets("/login").status == 200


def test_a_name_that_is_not_this_machines_own_is_refused(trial):
    for name in STRANGERS:
        for path in PATHS:
            problem = trial.visitor().gets(path, headers={"Host": name}).is_refused("forbidden")
            assert "HC_PW" in problem["detail"] and "localhost" in problem["detail"]
    trial.visitor().asks("POST", "/api/loginUser", auth=("promon", "12345"), headers={"Host": "a.example"}).is_refused(
        "forbidden"
    )


def test_a_proxy_is_refused(trial):
    for headers in FORWARDED:
        trial.visitor().gets("/login", headers=headers).is_refused("forbidden")


def test_this_machines_own_names_are_served(trial):
    for name in ("localhost", f"localhost:{trial.port}", "127.0.0.1", f"127.0.0.1:{trial.port}", "[::1]", "[::1]:5000"):
        assert trial.visitor().gets("/login", headers={"Host": name}).status == 200


def test_sockets_are_kept_out_as_well(trial):
    assert handshake(trial.url, Host="board.example.com").status_code == 403
    assert handshake(trial.url, **{"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    assert handshake(trial.url).status_code == 200


def test_with_settings_of_its_own_any_name_is_served(lasting_server):
    for headers in [{"Host": "board.example.com"}, *FORWARDED]:
        assert lasting_server.visitor().gets("/login", headers=headers).status == 200


# What every answer says.


@pytest.mark.parametrize(
    "path", ["/", "/login", "/audit", "/nothing", "/healthz", "/api/test", "/api/openapi.json", "/logout"]
)
def test_every_answer_tells_the_browser_what_it_may(lasting_server, path):
    for answer in (lasting_server.visitor().gets(path), lasting_server.signs_in("carol").gets(path)):
        headers = answer.headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] in ("'none'", "'self'")
        assert policy.get("script-src", "'self'") == "'self'"
        assert policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_a_refusal_at_the_door_says_so_too(trial):
    answer = trial.visitor().gets("/", headers={"Host": "board.example.com"})
    assert answer.headers["Content-Security-Policy"] and answer.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_hold_no_script_of_their_own(server):
    browser = server.signs_in_browser("carol")
    for path in ("/", "/audit", "/login"):
        page = browser.gets(path).text
        assert "<script>" not in page and " onclick=" not in page and " style=" not in page
        assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page


# Where browsers come from.


@pytest.fixture(scope="module")
def session(lasting_server):
    """A browser that is on a connection, and its session."""
    browser = lasting_server.signs_in_browser("alice")
    return browser, browser.checks(FIRST).session


OTHERS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": None, "Sec-Fetch-Site": "cross-site"},
    {"Origin": None, "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost"},
]


@pytest.mark.parametrize("origin", OTHERS, ids=str)
def test_another_site_changes_nothing(lasting_server, session, origin):
    browser, session = session
    browser.asks("DELETE", f"/api/v1/sessions/{session['id']}", headers=origin).is_refused("forbidden")
    browser.asks("PATCH", f"/api/v1/sessions/{session['id']}", json={"note": "x"}, headers=origin).is_refused(
        "forbidden"
    )
    browser.posts("/api/v1/sessions", {"connection": FIRST}, headers=origin).is_refused("forbidden")
    browser.asks("POST", "/logout", headers=origin).is_refused("forbidden")
    form = {"user": "alice", "password": password_of("alice")}
    lasting_server.browser().asks("POST", "/login", data=form, headers=origin).is_refused("forbidden")
    assert browser.holders(FIRST) == ["alice"]


@pytest.mark.parametrize("origin", OTHERS, ids=str)
def test_another_site_opens_no_socket(lasting_server, session, connect, origin):
    browser, _ = session
    server = lasting_server
    cookie = f"{browser.cookie.name}={browser.cookie.value}"
    headers = {name: value for name, value in origin.items() if value is not None}
    assert handshake(server.url, Cookie=cookie, **headers).status_code == 403
    with pytest.raises(Refused):
        connect(server, cookie=browser.cookie, way="polling", headers=headers)
    assert handshake(server.url, Cookie=cookie, Origin=server.url).status_code == 200


def test_the_public_address_is_the_only_origin(make_server):
    server = make_server(PUBLIC_URL="https://board.example.com/vpn").starts()
    browser = server.browser()
    form = {"user": "alice", "password": password_of("alice")}
    browser.asks("POST", "/login", data=form).is_refused("forbidden")
    answer = browser.asks("POST", "/login", data=form, headers={"Origin": "https://board.example.com"})
    assert answer.status == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-") and "; Secure" in cookie
