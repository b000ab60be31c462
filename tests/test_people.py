"""What admins do with accounts: adding, roles, disabling, invitations; by page, API and command."""

import pytest

from support.disk import files_with, records_of
from support.server import RELOAD_SECONDS, USERS, password_of
from support.waiting import eventually

NEW = "a completely new password"


def path_of(link):
    """The link's path at the server."""
    return "/" + link.split("/", 3)[3]


def accepts(server, link, password=NEW, **fields):
    """Opens an invitation in a browser, and chooses a password."""
    browser = server.browser()
    return browser, browser.asks("POST", path_of(link), data={"password": password, **fields})


def soon(look):
    return eventually(look, within=RELOAD_SECONDS)


# Accounts.


def test_who_is_added_need_not_stand_in_the_file(server, dave):
    account = dave.adds("Erin", role="auditor").is_done(201)
    assert account["role"] == "auditor" and account["status"] == "active" and not account["has_password"]
    dave.adds("ERIN").is_refused("account_exists")
    dave.adds("alice").is_refused("account_exists")
    server.runs("user", "set-password", "erin", given=NEW).is_done()
    assert server.signs_in("erin", NEW).gets("/api/test").is_done() == {"user": "Erin", "role": "auditor"}
    server.restarts()
    server.writes("users.txt", "dave;admin\n")
    soon(lambda: server.logs_in("alice", password_of("alice")).status == 401)
    assert server.signs_in("erin", NEW).gets("/api/test").status == 200


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a:b"}, {"name": "erin", "role": "boss"}, {"nam": "erin"}])
def test_an_account_that_makes_no_sense_is_refused(server, dave, body):
    dave.posts("/api/v1/accounts", body).is_refused("bad_request")


def test_the_file_gives_the_role_else_an_admin_does(server, dave):
    assert dave.changes("bob", role="auditor").is_done()["role_source"] == "admin"
    problem = dave.changes("carol", role="member").is_refused("role_is_listed")
    assert "users.txt" in problem["detail"]
    dave.changes("carol", role="auditor").is_done()
    server.writes("users.txt", USERS.replace("bob", "bob;member"))
    soon(lambda: dave.account("bob")["role"] == "member")
    server.writes("users.txt", USERS)
    soon(lambda: dave.account("bob")["role"] == "auditor")
    server.comes_back_after_a_kill()
    assert server.signs_in("dave").account("bob")["role"] == "auditor"


def test_another_role_ends_the_sign_ins_and_their_sockets(server, dave, connect):
    browser = server.signs_in_browser("bob")
    socket = connect(server, cookie=browser.cookie, headers={"Origin": server.url})
    dave.changes("bob", role="auditor").is_done()
    socket.ends()
    assert browser.gets("/").status == 303
    assert server.signs_in_browser("bob").gets("/audit").status == 200


@pytest.mark.parametrize(
    "wanted",
    [
        {"role": "admin", "disabled": True},
        {"role": "admin", "disabled": True, "reason": "left us"},
        {"role": "admin", "disabled": False},
        {"disabled": True},
        {"role": "boss"},
        {"reason": "left us"},
        {},
    ],
    ids=str,
)
def test_a_change_that_is_refused_has_changed_nothing(server, dave, wanted):
    before = dave.account("bob")
    dave.changes("bob", **wanted).is_refused("bad_request")
    assert dave.account("bob") == before


def test_a_disabled_account_lets_nobody_in(server, dave, alice, connect):
    browser = server.signs_in_browser("alice")
    token = dave.makes_token("board", user="alice")["token"]
    sockets = [connect(server, alice), connect(server, token=token)]
    sockets.append(connect(server, cookie=browser.cookie, headers={"Origin": server.url}))
    dave.changes("alice", disabled=True).is_refused("bad_request")
    account = dave.disables("alice", "left us").is_done()
    assert (account["status"], account["reason"], account["disabled_by"]) == ("disabled", "left us", "dave")
    for socket in sockets:
        socket.ends()
    assert browser.gets("/").status == 303
    alice.gets("/api/test").is_refused("unauthorized")
    server.visitor().gets("/api/test", headers={"x-access-tokens": token}).is_refused("unauthorized")
    right, wrong = server.logs_in("alice", password_of("alice")), server.logs_in("alice", "wrong")
    assert right.is_refused("unauthorized") == wrong.is_refused("unauthorized"), "nobody is told that it exists"
    server.restarts()
    server.logs_in("alice", password_of("alice")).is_refused("unauthorized")
    server.signs_in("dave").changes("alice", disabled=False).is_done()
    server.logs_in("alice", password_of("alice")).is_done()
    alice.gets("/api/test").is_refused("unauthorized")
    assert browser.gets("/").status == 303, "what has ended does not come back"
    server.visitor().gets("/api/test", headers={"x-access-tokens": token}).is_done()


def test_what_cannot_be_changed_says_why(dave, promon):
    dave.disables("promon").is_refused("service_user")
    promon.changes("promon", role="member").is_refused("service_user")
    dave.disables("DAVE").is_refused("yourself")
    dave.changes("dave", role="member").is_refused("yourself")
    dave.changes("nobody", role="member").is_refused("unknown_account")
    dave.changes("alice").is_refused("bad_request")
    dave.changes("alice", role="boss").is_refused("bad_request")


def test_who_was_taken_out_stays_in_sight(server, dave, alice):
    server.writes("users.txt", "dave;admin\n")
    soon(lambda: dave.account("alice")["status"] == "taken_out")
    dave.changes("alice", disabled=False).is_refused("not_listed")
    dave.adds("alice").is_done(201)
    server.logs_in("alice", password_of("alice")).is_done()
    alice.gets("/api/test").is_refused("unauthorized")


# Invitations.


def test_an_invitation_is_a_link_that_works_once(server, dave):
    invitation = dave.invites("bob").is_done(201)
    assert invitation["link"].startswith(f"{server.url}/invite/") and invitation["user"] == "bob"
    assert dave.account("bob")["invited_until"] == invitation["expires_at"]
    for _ in range(3):
        page = server.visitor().gets(path_of(invitation["link"]))
        assert page.status == 200 and "bob" in page.text, "a scanner of mails uses nothing up"
    for problem, fields in [("everybody tries first", {"password": "password1"}), ("differ", {"again": "another"})]:
        _, answer = accepts(server, invitation["link"], **fields)
        assert answer.status == 400 and problem in answer.text and "Set-Cookie" not in answer.headers
    before = server.signs_in_browser("bob")
    browser, answer = accepts(server, invitation["link"], again=NEW)
    assert answer.status == 303 and answer.headers["Location"] == "/"
    assert browser.gets("/api/v1/me").is_done()["user"] == "bob"
    assert before.gets("/").status == 303, "whoever knew the old password is out"
    assert server.signs_in("bob", NEW)
    _, again = accepts(server, invitation["link"], "yet another password")
    assert again.status == 404 and "has ended" in again.text
    assert server.visitor().gets(path_of(invitation["link"])).status == 404
    assert "invited_until" not in dave.account("bob")


def test_a_later_invitation_or_a_password_ends_the_one_before(server, dave):
    first, second = dave.invites("bob").is_done(201), dave.invites("bob").is_done(201)
    assert accepts(server, first["link"])[1].status == 404
    server.restarts()
    assert server.visitor().gets(path_of(second["link"])).status == 200
    server.runs("user", "set-password", "bob", given=NEW).is_done()
    assert accepts(server, second["link"])[1].status == 404


@pytest.mark.parametrize("secret", ["0" * 32, "x", "%00", "..%2f..", "'" * 40])
def test_an_invitation_that_is_none_says_whom_to_ask(lasting_server, secret):
    for method in ("GET", "POST"):
        answer = lasting_server.browser().asks(method, f"/invite/{secret}", data={"password": NEW})
        assert answer.status == 404 and "ask an admin" in answer.text


def test_everybody_without_a_password_is_invited_at_once(make_server):
    server = make_server(users=USERS + "erin\nfrank\n").starts()
    invitations = server.signs_in("dave").posts("/api/v1/invitations", {}).is_done(201)["invitations"]
    assert [invitation["user"] for invitation in invitations] == ["erin", "frank"]
    for invitation in invitations:
        assert accepts(server, invitation["link"])[1].status == 303
    assert server.runs("user", "invite", "--all").is_done() == ""


def test_a_public_url_makes_the_links(make_server):
    server = make_server(PUBLIC_URL="https://board.example.com").starts()
    link = server.signs_in("dave").invites("bob").is_done(201)["link"]
    assert link.startswith("https://board.example.com/invite/")
    cookie = server.visitor().asks("POST", path_of(link), data={"password": NEW}).headers["Set-Cookie"]
    assert cookie.startswith("__Host-") and "; Secure" in cookie


def test_the_service_user_with_a_setting_is_not_invited(dave):
    dave.invites("promon").is_refused("password_is_setting")
    dave.invites("nobody").is_refused("unknown_account")
    dave.disables("bob").is_done()
    dave.invites("bob").is_refused("account_disabled")


def test_an_invitation_is_kept_as_a_hash_only(server, dave):
    secret = dave.invites("bob").is_done(201)["link"].rsplit("/", 1)[1]
    assert len(secret) >= 32
    accepts(server, f"{server.url}/invite/{secret}")
    server.stops()
    assert files_with(server.folder, secret) == []


# Commands.


def test_a_link_without_a_server_is_as_one_with_it(server):
    server.stops()
    invited = server.runs("user", "invite", "bob", PUBLIC_URL="https://Board.example.com/vpn/").is_done()
    assert invited.split("\t")[1].startswith("https://board.example.com/invite/")


@pytest.mark.parametrize("is_running", [True, False])
def test_commands_work_with_a_server_or_without(server, is_running):
    if not is_running:
        server.stops()
    server.runs("user", "add", "erin", "--role", "auditor").is_done()
    server.runs("user", "add", "erin").is_refused("already")
    server.runs("user", "role", "bob", "admin").is_done()
    server.runs("user", "role", "carol", "admin").is_refused("users.txt")
    server.runs("user", "disable", "alice", "--reason", "left us").is_done()
    name, link = server.runs("user", "invite", "erin").is_done().strip().split("\t")
    assert name == "erin" and link.startswith(f"{server.url}/invite/")
    lines = {tuple(line.split("\t")) for line in server.runs("user", "list").is_done().splitlines()}
    assert lines >= {
        ("alice", "member", "disabled"),
        ("bob", "admin", "active"),
        ("carol", "auditor", "active"),
        ("erin", "auditor", "no password"),
        ("promon", "admin", "active"),
    }
    if not is_running:
        server.starts()
    assert accepts(server, link)[1].status == 303
    server.logs_in("alice", password_of("alice")).is_refused("unauthorized")
    server.runs("user", "enable", "alice").is_done()
    server.logs_in("alice", password_of("alice")).is_done()
    by = [changed["by"] for changed in eventually(lambda: changes(server, "erin", "added"))]
    assert by == [{"account": {"user": "promon", "address": "127.0.0.1"}} if is_running else "command_line"]


def changes(server, user, change):
    """The records of access that say so."""
    changed = records_of(server, "access", "account_changed")
    named = lambda said: said if isinstance(said, str) else next(iter(said))
    return [record for record in changed if record["user"] == user and named(record["change"]) == change]


@pytest.mark.parametrize(
    "arguments", [["add"], ["invite"], ["invite", "bob", "--all"], ["role", "bob"], ["role", "bob", "boss"], ["disable", "bob"]]
)
def test_a_command_that_is_used_wrong_says_so(server, arguments):
    assert server.runs("user", *arguments).code == 2


# The page.


def test_the_page_is_for_admins(server):
    for name, status in [("alice", 403), ("carol", 403), ("dave", 200)]:
        browser = server.signs_in_browser(name)
        assert browser.gets("/people").status == status
        assert ('href="/people"' in browser.gets("/").text) == (name == "dave")
    answer = server.browser().gets("/people")
    assert answer.status == 303 and answer.headers["Location"] == "/login?next=/people"


def test_without_a_password_an_admin_is_a_member(make_server):
    server = make_server(BOARD_ACCESS="open").starts()
    browser = server.signs_in_browser("dave", "")
    assert browser.gets("/people").status == 403
    browser.gets("/api/v1/accounts").is_refused("forbidden")
    browser.gets("/api/v1/tokens").is_refused("forbidden")
