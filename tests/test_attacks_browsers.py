"""Attacks by way of a browser: other sites, frames, scripts in names, and where one is sent."""

import pytest

from support.raw_http import answers_to, statuses
from support.raw_sockets import address, handshake
from support.server import password_of
from support.sockets import Refused

FIRST = "vpn main 1;vpn sub 1"
TEASERS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "</title><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
MARKUP = ("<script>alert", "<img src=x", "<svg onload")


# Other sites.

ORIGINS = {
    "another site": "https://evil.example",
    "null": "null",
    "empty": "",
    "our name as a part": "http://{host}.evil.example",
    "our name as a user": "http://{host}@evil.example",
    "our name with a path": "http://{host}/x",
    "our name in capitals": "HTTP://{host}",
    "our name without a port": "http://127.0.0.1",
    "our name with another port": "http://127.0.0.1:1",
    "a file": "file://",
    "another scheme": "ws://{host}",
    "two origins": "http://{host} https://evil.example",
    "a space before it": "x http://{host}",
}


def origin_of(server, case):
    return {"Origin": ORIGINS[case].format(host=f"127.0.0.1:{server.port}")}


@pytest.mark.parametrize("case", ORIGINS)
def test_another_site_changes_nothing(attacked, case):
    browser = attacked.signs_in_browser("alice")
    headers = origin_of(attacked, case)
    browser.posts("/api/v1/sessions", {"connection": FIRST}, headers=headers).is_refused("forbidden")
    browser.asks("POST", "/logout", headers=headers).is_refused("forbidden")
    form = {"user": "alice", "password": password_of("alice")}
    attacked.browser().asks("POST", "/login", data=form, headers=headers).is_refused("forbidden")
    assert browser.holders(FIRST) == []


@pytest.mark.parametrize("case", ORIGINS)
def test_another_site_opens_no_socket(attacked, connect, case):
    browser = attacked.signs_in_browser("alice")
    headers = origin_of(attacked, case)
    refused = handshake(attacked.url, Cookie=f"{browser.cookie.name}={browser.token}", **headers)
    assert refused.status_code == 403 and "sid" not in refused.text
    with pytest.raises(Refused):
        connect(attacked, cookie=browser.cookie, way="websocket", headers=headers)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_site_is_no_json(attacked, kind):
    """What a browser sends without asking first (no preflight) changes nothing."""
    browser = attacked.signs_in_browser("alice")
    body = '{"connection": "vpn main 1;vpn sub 1"}'
    answer = browser.asks("POST", "/api/v1/sessions", data=body, headers={"Content-Type": kind})
    answer.is_refused("unsupported_media_type")
    assert browser.holders(FIRST) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_reads_changes_nothing(attacked, method):
    browser = attacked.signs_in_browser("alice")
    for path in ("/logout", "/api/placeMessage", "/api/v1/sessions", "/api/loginUser"):
        assert browser.asks(method, path).status in (401, 403, 404, 405)
    assert browser.gets("/api/v1/me").status == 200


def test_nobody_else_may_read_answers(attacked):
    """Without CORS no other site reads anything, preflight or not."""
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("GET", "/api/v1/connections"), ("OPTIONS", "/api/v1/sessions"), ("GET", "/socket.io/")):
        headers = attacked.visitor().asks(method, path, headers=origin).headers
        assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("path", ["/", "/login", "/audit", "/api/v1/me", "/nothing", "/socket.io/?EIO=4&transport=polling"])
def test_nothing_is_shown_in_a_frame(attacked, path):
    headers = attacked.signs_in_browser("carol").gets(path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


# Scripts in names and notes.


@pytest.fixture(scope="module")
def marked(make_lasting_server):
    """A server whose every name is markup."""
    users = "".join(f"{name.replace(':', ' ')}\n" for name in TEASERS if ";" not in name)
    lines = "".join(f"{name};{name} sub\n" for name in TEASERS if ";" not in name)
    return make_lasting_server(users=users + "dave;admin\n", sessions=lines, BOARD_ACCESS="open").starts()


@pytest.mark.parametrize("path", ["/login", "/", "/audit", "/login?next=/%3Cscript%3Ealert(1)", "/nothing%3Cscript%3Ealert(1)"])
@pytest.mark.parametrize("number", range(3))
def test_a_name_is_never_markup_on_a_page(marked, path, number):
    browser = marked.browser()
    assert browser.signs_in(TEASERS[number].replace(":", " ")).status == 303
    for visitor in (browser, marked.browser()):
        page = visitor.gets(path, headers={"Accept": "text/html"}).text
        assert not any(markup in page for markup in MARKUP), page


def test_a_name_that_failed_to_sign_in_is_never_markup(marked):
    for teaser in TEASERS[:3]:
        page = marked.browser().signs_in(teaser + " and more", "a wrong password").text
        assert not any(markup in page for markup in MARKUP), page


@pytest.mark.parametrize("note", TEASERS)
def test_a_note_is_given_as_it_was_and_as_json(attacked, note):
    alice = attacked.signs_in("alice")
    session = alice.checks(FIRST, note=note).session
    answer = alice.gets("/api/v1/connections")
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.body["connections"][0]["sessions"][0]["note"] == note
    alice.unchecks(session)


def test_what_is_wrong_is_said_as_json_and_not_as_markup(attacked):
    alice = attacked.signs_in("alice")
    for answer in (
        alice.checks("<script>alert(1)</script>;x"),
        alice.gets("/api/v1/messages/<script>alert(1)</script>"),
        attacked.signs_in("carol").gets("/api/v1/audit/reports/<script>alert(1)<script>"),
        alice.gets("/<script>alert(1)</script>"),
    ):
        assert answer.status >= 400 and answer.headers["Content-Type"] == "application/problem+json"


# Where one is sent.

ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "http:evil.example",
    "/%0d%0aSet-Cookie:%20a=b",
    "/\r\nSet-Cookie: a=b",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in(attacked, target):
    answer = attacked.browser().signs_in("alice", password_of("alice"), next=target)
    assert answer.status == 303
    place = answer.headers["Location"]
    assert place.startswith("/") and not place.startswith(("//", "/\\")) and "\n" not in place
    assert "a=b" not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/..", "/\\evil.example", "/%2f%2fevil.example"])
def test_no_path_sends_elsewhere(attacked, path):
    heard = answers_to(attacked, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert statuses(heard)[0] in (400, 404)
    assert b"\r\nlocation:" not in heard.lower()


HOSTS = ["evil.example", "evil.example:80@127.0.0.1", "127.0.0.1\tevil.example", "localhost, evil.example", "[::1"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_forged_host_is_repeated_nowhere(attacked, host):
    for path in ("/", "/login", "/nothing", "/api/openapi.json", "/audit"):
        heard = answers_to(attacked, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
        assert b"evil.example" not in heard


def test_two_hosts_or_none_are_refused(attacked):
    for hosts in ("", "Host: localhost\r\nHost: evil.example\r\n", "Host: localhost\r\nHost: localhost\r\n"):
        heard = answers_to(attacked, f"GET /login HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")
        assert statuses(heard) == [400]


def test_a_socket_needs_the_address_of_our_pages(attacked):
    """The address of a handshake is right without an origin: programs send none."""
    assert attacked.visitor().gets(address("", "polling")).status == 200
