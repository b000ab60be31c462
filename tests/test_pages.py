"""The pages' doors: signing in and out, and who sees which page."""

import pytest

from support.access_tokens import claims
from support.server import password_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"


@pytest.fixture(scope="module")
def house(make_lasting_server):
    """A server where Erin has no password yet."""
    return make_lasting_server(users="alice\nbob\ncarol;auditor\ndave;admin\nerin\n").starts()


def leads_to(answer, place):
    """Asserts that the browser is sent on."""
    assert answer.status == 303, answer
    assert answer.headers["Location"] == place


def test_the_board_asks_for_a_sign_in_first(server):
    leads_to(server.browser().gets("/"), "/login")


def test_the_audit_asks_for_a_sign_in_first_and_then_comes(server):
    browser = server.browser()
    leads_to(browser.gets("/audit"), "/login?next=/audit")
    assert 'value="/audit"' in browser.gets("/login?next=/audit").text
    leads_to(browser.signs_in("carol", password_of("carol"), next="/audit"), "/audit")


def test_the_form_is_as_promised(server):
    page = server.browser().gets("/login").text
    for part in ('method="post"', 'action="/login"', 'name="user"', 'name="password"', 'type="password"'):
        assert part in page
    for word in (">User<", ">Password<", ">Sign in<"):
        assert word in page
    assert "<option" not in page, "names are shown to those who are in"


def test_where_the_board_is_open_the_user_is_a_list(make_server):
    page = make_server(BOARD_ACCESS="open").starts().browser().gets("/login").text
    assert "<select" in page and 'name="user"' in page
    assert all(f">{name}</option>" in page for name in ("alice", "bob", "carol", "dave"))


def test_signing_in_gives_a_cookie_that_scripts_do_not_see(server):
    browser = server.browser()
    answer = browser.signs_in("alice", password_of("alice"))
    leads_to(answer, "/")
    cookie = answer.headers["Set-Cookie"].lower()
    assert "; httponly" in cookie and "; samesite=" in cookie and "; path=/" in cookie
    assert "samesite=none" not in cookie
    page = browser.gets("/")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert "alice" in page.text
    assert browser.gets("/api/v1/me").is_done() == {"user": "alice", "role": "member"}


def test_the_cookie_carries_a_jwt_with_the_sign_ins_id(server):
    first, second = server.signs_in_browser("alice"), server.signs_in_browser("alice")
    assert claims(first.token)["sub"] == "alice"
    assert claims(first.token)["jti"] != claims(second.token)["jti"]


@pytest.mark.parametrize(
    "user, password",
    [("alice", "wrong password"), ("alice", ""), ("nobody", "wrong password"), ("", ""), ("erin", ""), ("al:ice", "x")],
)
def test_a_wrong_password_says_so_and_lets_nobody_in(house, user, password):
    browser = house.browser()
    answer = browser.signs_in(user, password)
    assert answer.status == 401
    assert "User or password is wrong" in answer.text
    assert "Set-Cookie" not in answer.headers
    leads_to(browser.gets("/"), "/login")


def test_what_somebody_typed_comes_back_as_text(server):
    answer = server.browser().signs_in('"><script>alert(1)</script>', "x")
    assert "<script>alert" not in answer.text
    answer = server.browser().gets('/login?next=/"><script>alert(1)</script>')
    assert "<script>alert" not in answer.text


def test_names_are_shown_as_text(make_server):
    name = "<img src=x onerror=alert(1)>"
    server = make_server(users=f"{name}\nalice\n", BOARD_ACCESS="open").starts()
    browser = server.signs_in_browser(name, "")
    for page in (server.browser().gets("/login"), browser.gets("/")):
        assert "<img src=x" not in page.text and "&lt;img src=x" in page.text.replace("&#60;", "&lt;")


def test_a_form_that_is_none_is_refused(server):
    for details in ({"json": {"user": "alice"}}, {"data": b"\xff", "headers": {"Content-Type": "text/plain"}}):
        assert server.browser().asks("POST", "/login", **details).status in (400, 401, 415, 422)
    big = {"user": "alice", "password": "x" * 3_000_000}
    assert server.browser().asks("POST", "/login", data=big).status in (400, 413)


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "evil.example",
        "http:evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(house, place):
    browser = house.browser()
    assert "evil" not in browser.gets("/login", params={"next": place}).text
    leads_to(browser.signs_in("alice", password_of("alice"), next=place), "/")


def test_signing_out_ends_the_sign_in_for_good(server):
    browser = server.signs_in_browser("alice")
    kept = browser.token
    other = server.signs_in_browser("alice")
    leads_to(browser.signs_out(), "/login")
    assert browser.cookie is None
    leads_to(browser.gets("/"), "/login")
    for headers in ({"Cookie": f"{other.cookie.name}={kept}"}, {"Authorization": f"Bearer {kept}"}):
        server.visitor().gets("/api/v1/me", headers=headers).is_refused("unauthorized")
    assert other.gets("/").status == 200, "another sign-in of the same account goes on"
    server.restarts()
    server.visitor().gets("/api/v1/me", headers={"Authorization": f"Bearer {kept}"}).is_refused("unauthorized")
    assert other.gets("/").status == 200


def test_signing_out_twice_or_without_a_sign_in_is_fine(server):
    leads_to(server.browser().signs_out(), "/login")


def test_signing_out_ends_the_sockets(server, connect):
    browser, other = server.signs_in_browser("alice"), server.signs_in_browser("alice")
    socket, others = connect(server, cookie=browser.cookie), connect(server, cookie=other.cookie)
    browser.signs_out()
    socket.ends()
    assert others.checks(FIRST).session["user"] == "alice"


def test_a_sign_in_survives_a_restart(server):
    browser = server.signs_in_browser("alice")
    server.restarts()
    assert browser.gets("/").status == 200


@pytest.mark.parametrize("name, status", [("alice", 403), ("bob", 403), ("carol", 200), ("dave", 200), ("promon", 200)])
def test_the_audit_page_is_for_auditors_and_admins(house, name, status):
    browser = house.signs_in_browser(name)
    answer = browser.gets("/audit")
    assert answer.status == status
    assert ('href="/audit"' in browser.gets("/").text) == (status == 200)


def test_the_open_board_gives_a_members_rights(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    for name in ("alice", "carol", "dave"):
        browser = server.signs_in_browser(name, "")
        assert browser.gets("/api/v1/me").is_done() == {"user": name, "role": "member"}
        assert browser.gets("/audit").status == 403
    assert server.signs_in_browser("carol").gets("/audit").status == 200
    assert server.browser().signs_in("nobody", "").status == 401
    assert server.browser().signs_in("alice", "wrong password").status == 401
    server.logs_in("alice", "").is_refused("unauthorized")


def test_who_only_picks_a_name_throws_nobody_out(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    dave = server.signs_in_browser("dave")
    for _ in range(101):
        server.signs_in_browser("dave", "")
    assert dave.gets("/api/v1/me").is_done() == {"user": "dave", "role": "admin"}


def test_the_service_user_does_not_come_in_without_a_password(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    assert server.browser().signs_in("promon", "").status == 401


def test_a_member_of_the_open_board_unchecks_nobody_else(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    session = server.signs_in_browser("alice", "").checks(FIRST).session
    server.signs_in_browser("dave", "").unchecks(session).is_refused("forbidden")
    assert server.signs_in_browser("dave").unchecks(session).session["ended_by"] == "admin:dave"


def test_where_the_board_is_closed_again_the_open_sign_ins_end(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    browser, proved = server.signs_in_browser("alice", ""), server.signs_in_browser("alice")
    server.stops()
    server.settings["BOARD_ACCESS"] = "password"
    server.starts()
    leads_to(browser.gets("/"), "/login")
    assert proved.gets("/").status == 200


def test_what_the_pages_need_is_served_by_the_server_itself(server):
    browser = server.signs_in_browser("carol")
    for path in ("/", "/audit", "/login"):
        page = browser.gets(path).text
        wanted = [part.split('"')[0] for mark in ('src="', 'href="') for part in page.split(mark)[1:]]
        assets = [place for place in wanted if place.startswith("/assets/")]
        assert assets
        for place in assets:
            answer = browser.gets(place)
            assert answer.status == 200 and answer.content, place
            assert "immutable" in answer.headers["Cache-Control"]


def test_an_open_page_is_told_when_its_account_is_gone(server, connect):
    browser = server.signs_in_browser("alice")
    socket = connect(server, cookie=browser.cookie)
    server.writes("users.txt", "bob\n")
    socket.ends()
    eventually(lambda: browser.gets("/").status == 303)
