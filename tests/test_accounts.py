"""Who there is: users.txt while the server runs, and passwords."""

import re
import threading
from pathlib import Path

import pytest

from support.cases import brief
from support.disk import files_with
from support.server import RELOAD_SECONDS, SERVICE_PASSWORD, USERS, password_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
NEW = "a completely new password"

# How long the last of a crowd may wait for its turn on a busy machine, in seconds.
CROWD_SECONDS = 300


def soon(look):
    """What a promise of two seconds means."""
    return eventually(look, within=RELOAD_SECONDS)


def status_of(person, path="/api/test"):
    return person.gets(path).status


def test_who_is_taken_out_is_disabled(server, alice, bob, connect):
    browser = server.signs_in_browser("alice")
    session = alice.checks(FIRST).session
    socket = connect(server, alice)
    server.writes("users.txt", "bob\ndave;admin\n")
    soon(lambda: status_of(alice) == 401)
    socket.ends()
    alice.checks("vpn main 1;vpn sub 2").is_refused("unauthorized")
    alice.unchecks(session).is_refused("unauthorized")
    server.logs_in("alice", password_of("alice")).is_refused("unauthorized")
    assert browser.gets("/").status == 303
    assert server.browser().signs_in("alice", password_of("alice")).status == 401
    assert bob.holders(FIRST) == ["alice"]
    assert server.signs_in("dave").unchecks(session).session["ended_by"] == "admin:dave"


def test_who_comes_back_has_their_password_still(server, alice):
    server.writes("users.txt", "bob\n")
    soon(lambda: status_of(alice) == 401)
    server.writes("users.txt", USERS)
    soon(lambda: server.logs_in("alice", password_of("alice")).status == 200)


def test_who_is_added_can_be_given_a_password(server):
    server.runs("user", "set-password", "erin", given=NEW).is_refused("erin")
    server.writes("users.txt", USERS + "erin;auditor\n")
    soon(lambda: server.runs("user", "set-password", "erin", given=NEW).code == 0)
    assert server.signs_in("erin", NEW).gets("/api/test").is_done() == {"user": "erin", "role": "auditor"}


def test_a_role_takes_effect_at_once_and_ends_the_sign_ins(server, bob):
    reports = "/api/v1/audit/reports"
    browser = server.signs_in_browser("bob")
    assert status_of(bob, reports) == 403
    server.writes("users.txt", USERS.replace("bob", "bob;auditor"))
    soon(lambda: status_of(bob, reports) == 200)
    assert status_of(browser, "/audit") == 303, "whoever sits there signs in anew"
    browser = server.signs_in_browser("bob")
    assert status_of(browser, "/audit") == 200
    server.writes("users.txt", USERS.replace("bob", "bob;admin"))
    soon(lambda: status_of(bob, "/api/v1/messages") == 200)
    server.writes("users.txt", USERS)
    soon(lambda: status_of(bob, reports) == 403)
    assert status_of(bob, "/api/v1/messages") == 403
    assert status_of(browser, "/audit") == 303
    assert status_of(server.signs_in_browser("bob"), "/audit") == 403


def test_a_socket_does_not_keep_rights_that_were_taken(server, dave, alice, connect):
    socket = connect(server, dave)
    session = alice.checks(FIRST).session
    server.writes("users.txt", USERS.replace("dave;admin", "dave"))
    socket.ends()
    connect(server, dave).unchecks(session).is_refused("forbidden")
    assert alice.holders(FIRST) == ["alice"]


def test_a_name_in_another_case_is_the_same_person(server, alice):
    jump_host = "vpn main 3;jump host"
    sessions = [alice.checks(connection).session for connection in (FIRST, jump_host)]
    server.writes("users.txt", USERS.replace("alice", "Alice"))
    soon(lambda: alice.gets("/api/test").is_done()["user"] == "Alice")
    alice.checks(jump_host).is_refused("taken")
    assert alice.notes(sessions[0], "still mine").session["note"] == "still mine"
    assert alice.unchecks(sessions[0]).session["ended_by"] in ("alice", "Alice")


@pytest.mark.parametrize("content", ["alice\nALICE\n", "alice;boss\n", "al:ice\n", b"\xff\n", "x" * 100_000], ids=brief)
def test_a_broken_list_leaves_everybody_in(server, alice, content):
    server.writes("users.txt", content)
    finding = soon(lambda: server.findings("config"))[0]
    assert "users.txt" in finding and "line" in finding
    assert server.readiness()["status"] == "degraded"
    assert status_of(alice) == 200
    server.writes("users.txt", USERS)
    soon(lambda: server.readiness()["status"] == "ok")


def test_the_service_user_is_an_admin_whatever_the_list_says(make_server):
    server = make_server(users="promon;member\nalice\n").starts()
    assert server.signs_in("promon").gets("/api/test").is_done()["role"] == "admin"
    server.writes("users.txt", "")
    eventually(lambda: server.logs_in("alice", password_of("alice")).status == 401)
    assert server.signs_in("promon").gets("/api/test").is_done()["role"] == "admin"


# Passwords.


def test_a_password_is_set_through_the_running_server(server):
    browser = server.signs_in_browser("bob")
    server.runs("user", "set-password", "bob", given=NEW).is_done()
    assert server.signs_in("bob", NEW).gets("/api/test").is_done()["user"] == "bob"
    server.logs_in("bob", password_of("bob")).is_refused("unauthorized")
    assert browser.gets("/").status == 303, "whoever knew the old password is out"
    server.comes_back_after_a_kill()
    assert server.signs_in("bob", NEW)


def test_a_password_is_set_without_a_server(server):
    server.stops()
    server.runs("user", "set-password", "bob", given=NEW).is_done()
    server.starts()
    assert server.signs_in("bob", NEW)
    server.logs_in("bob", password_of("bob")).is_refused("unauthorized")
    assert server.signs_in("alice")


def test_a_password_is_set_beside_the_remains_of_a_killed_server(server):
    server.is_killed()
    server.runs("user", "set-password", "bob", given=NEW).is_done()
    server.starts()
    assert server.signs_in("bob", NEW)


def test_a_password_is_set_with_an_access_token(server):
    token = server.signs_in("dave").token
    settings = {"HC_PW": "", "VPN_SESSIONS_TOKEN": token, "VPN_SESSIONS_SERVER": server.url, "DATA_DIR": "elsewhere"}
    server.runs("user", "set-password", "bob", given=NEW, **settings).is_done()
    assert server.signs_in("bob", NEW)
    arguments = ["--server", server.url, "--token", token]
    server.runs("user", "set-password", "bob", *arguments, given=password_of("bob"), HC_PW="").is_done()
    server.logs_in("bob", password_of("bob")).is_done()
    assert not (server.folder / "elsewhere").exists()


@pytest.mark.parametrize("given, password", [(NEW + "\n", NEW), (NEW + "\r\n", NEW), (f"  {NEW}  ", f"  {NEW}  ")])
def test_one_line_end_is_no_part_of_a_password(server, given, password):
    server.runs("user", "set-password", "bob", given=given).is_done()
    assert server.signs_in("bob", password)


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("password", ["", "\n", "seven c", "x" * 129])
def test_a_password_of_another_length_is_refused(server, password, is_running):
    if not is_running:
        server.stops()
    server.runs("user", "set-password", "bob", given=password).is_refused("8 to 128 characters")
    if not is_running:
        server.starts()
    server.logs_in("bob", password_of("bob")).is_done()


@pytest.mark.parametrize("is_running", [True, False])
@pytest.mark.parametrize("password", ["password1", "PASSWORD1", "12345678", "Qwertyuiop"])
def test_a_password_that_everybody_tries_is_refused(server, password, is_running):
    if not is_running:
        server.stops()
    server.runs("user", "set-password", "bob", given=password).is_refused("everybody tries first")


@pytest.mark.parametrize("is_running", [True, False])
def test_who_does_not_exist_gets_no_password(server, is_running):
    if not is_running:
        server.stops()
    server.runs("user", "set-password", "nobody", given=NEW).is_refused("nobody", "users.txt")
    server.runs("user", "set-password", "promon", given=NEW).is_refused("HC_PW")


def test_only_an_admin_sets_passwords(server, alice, carol):
    for person in (alice, carol):
        path = f"/api/v1/accounts/{person.name}/password"
        person.asks("PUT", path, json={"password": NEW}).is_refused("forbidden")
        arguments = ["--server", server.url, "--token", person.token]
        server.runs("user", "set-password", "bob", *arguments, given=NEW).is_refused("admin")
    server.visitor().asks("PUT", "/api/v1/accounts/bob/password", json={"password": NEW}).is_refused("unauthorized")
    server.runs("user", "set-password", "bob", given=NEW, HC_PW="a wrong password").is_refused("wrong")
    server.logs_in("bob", password_of("bob")).is_done()


def test_a_command_that_finds_no_server_says_so(server):
    arguments = ["--server", "http://127.0.0.1:1"]
    server.runs("user", "set-password", "bob", *arguments, given=NEW).is_refused("http://127.0.0.1:1")


def test_passwords_are_kept_as_argon2id_and_only_among_the_keys(server):
    server.runs("user", "set-password", "bob", given=NEW).is_done()
    server.signs_in("bob", NEW)
    server.signs_in_browser("bob", NEW)
    server.stops()
    files = files_with(server.data_dir, "$argon2")
    assert files and all(name.startswith("ledger/keys/") for name in files)
    assert files_with(server.data_dir, "$argon2id$v=19$m=19456,t=2,p=1$") == files
    for secret in (NEW, SERVICE_PASSWORD, password_of("alice")):
        assert files_with(server.folder, secret) == []


def test_users_are_listed_with_their_roles(server):
    shown = server.runs("user", "list").is_done()
    lines = {tuple(line.split()[:2]) for line in shown.splitlines()}
    assert lines >= {("alice", "member"), ("carol", "auditor"), ("dave", "admin"), ("promon", "admin")}


def test_two_hundred_sign_ins_at_once_fill_no_memory_and_leave_the_board_alone(server, alice, at_once):
    before, peak, looks = memory_of(server), 0, 0
    waiting = threading.Event()

    def watches():
        nonlocal peak, looks
        while not waiting.is_set():
            assert alice.board()
            peak, looks = max(peak, memory_of(server)), looks + 1
        return True

    def comes():
        auth = ("bob", password_of("bob"))
        return server.visitor().asks("POST", "/api/loginUser", auth=auth, timeout=CROWD_SECONDS).status

    def all_come():
        try:
            return at_once([comes] * 200)
        finally:
            waiting.set()

    assert at_once([watches, all_come]) == [True, [200] * 200]
    assert looks > 2, "the board was there all the while"
    # Two hashes have 19 MiB each; 200 at once would have 3.7 GiB.
    assert peak - before < 200, f"{before} MiB became {peak} MiB"


def memory_of(server):
    """What the process has in memory, in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) // 1024
