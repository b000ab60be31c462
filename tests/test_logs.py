"""What the log says, to whom, and what it never says."""

import json
import os
import pty

import pytest

from support.mail_server import MAIL_TO, PASSWORD, USER
from support.server import SECRET_KEY, SERVICE_PASSWORD, password_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"


def test_away_from_a_terminal_each_line_is_json(server, alice):
    alice.unchecks(alice.checks(FIRST).session)
    server.writes("sessions.csv", "broken\n")
    eventually(lambda: server.says("sessions.csv"))
    server.stops()
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert len(lines) > 3
    assert all(line["timestamp"] and line["level"] and line["message"] for line in lines)


def test_text_is_a_setting(make_server):
    server = make_server(LOG_FORMAT="text").starts()
    server.stops()
    assert f"Listening on {server.url}" in server.log
    for line in server.log.splitlines():
        assert not line.startswith("{") and "\x1b" not in line, line


@pytest.mark.parametrize("log_format", [None, "json"])
def test_on_a_terminal_it_is_text_for_people(make_server, log_format):
    server = make_server(LOG_FORMAT=log_format)
    ours, theirs = pty.openpty()
    server.launches(stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"Listening on" not in shown:
        shown += os.read(ours, 65_536)
    is_json = any(line.startswith(b"{") for line in shown.splitlines())
    assert is_json == (log_format == "json"), shown
    server.is_killed()
    os.close(ours)


def test_how_much_is_said_is_a_setting(make_server):
    assert not make_server(RUST_LOG="error").starts().stops().says("Listening")
    assert make_server(RUST_LOG="info").starts().stops().says("Listening")


def test_it_says_where_it_listens_and_what_it_serves(server):
    assert server.says(f"Listening on {server.url}")
    assert server.says('"connections":5', '"users":4')


NOTE = "a note that nobody else may read"
MESSAGE = "a message that nobody else may read"


@pytest.mark.parametrize("level", ["info", "debug", "trace"])
def test_no_secret_is_ever_said(make_server, connect, level):
    settings = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": 9, "MAIL_USER": USER, "MAIL_PW": PASSWORD, "MAIL_TO": MAIL_TO}
    server = make_server(RUST_LOG=level, **settings).starts()
    alice, promon = server.signs_in("alice"), server.signs_in("promon")
    browser = server.signs_in_browser("carol")
    server.logs_in("alice", "a password that is wrong")
    server.browser().signs_in("alice", "a password that is wrong")
    socket = connect(server, alice)
    session = socket.checks(FIRST, note=NOTE).session
    socket.notes(session, NOTE + " either")
    promon.unchecks(session)
    alice.checks(FIRST, note=NOTE)
    promon.hands_in(MESSAGE, subject=MESSAGE)
    eventually(lambda: server.findings("mail"))
    server.runs("user", "set-password", "bob", given="a completely new password").is_done()
    promon.places(MESSAGE, to="somebody@example.com").is_refused("forbidden")
    browser.signs_out()
    server.restarts()
    passwords = [
        password_of("alice"),
        SERVICE_PASSWORD,
        "a password that is wrong",
        "a completely new password",
        PASSWORD,
    ]
    tokens = [alice.token, promon.token, alice.token.split(".")[2]]
    for secret in [*passwords, *tokens, SECRET_KEY, NOTE, MESSAGE, MAIL_TO, USER, "somebody@example.com", "$argon2"]:
        assert secret not in server.log, [line for line in server.log.splitlines() if secret in line][0]


def test_a_made_up_service_password_is_the_only_one_that_is_shown(make_server):
    server = make_server(seed=None, HC_PW=None).starts()
    key = (server.data_dir / "secret_key").read_text() if (server.data_dir / "secret_key").exists() else SECRET_KEY
    assert key not in server.log
    assert server.log.count("password of promon") == 1


def test_a_break_in_the_log_cannot_be_made_up(server):
    hostile = 'alice\n{"level":"ERROR","message":"made up"}'
    server.logs_in("alice", hostile)
    server.browser().signs_in(hostile, "x")
    server.visitor().gets("/api/v1/audit/reports/%0Amade%20up")
    server.signs_in("carol").gets("/api/v1/audit/reports/audit-2026-W01%0Amade%20up.csv")
    server.stops()
    assert all(json.loads(line)["message"] != "made up" for line in server.log.splitlines())


def test_a_log_that_nobody_reads_stops_nothing(make_server):
    server = make_server()
    reading, writing = os.pipe()
    server.starts(stderr=writing)
    os.close(writing)
    os.close(reading)
    alice = server.signs_in("alice")
    alice.unchecks(alice.checks(FIRST).session)
    server.writes("sessions.csv", "vpn main 1;vpn sub 1\nvpn main 9;vpn sub 9\n")
    eventually(lambda: "vpn main 9;vpn sub 9" in alice.board())
    server.stops()
