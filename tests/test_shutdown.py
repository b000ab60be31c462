"""SIGTERM: ended within three seconds, sockets told, nothing acknowledged lost."""

import os
import random
import signal
import socket
import threading
from contextlib import contextmanager, suppress

import pytest
import requests

from support.raw_sockets import RAW_SOCKETS
from support.sockets import WAYS
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"


def test_a_server_that_is_asked_to_stop_stops(server):
    server.stops()
    assert server.says("Stopping") and server.says("Stopped")


@pytest.mark.parametrize("way", WAYS)
def test_sockets_are_told(server, alice, connect, way):
    socket = connect(server, alice, way=way)
    socket.board()
    server.stops()
    socket.ends()


def test_whoever_holds_on_to_the_server_does_not_keep_it(server, alice):
    with socket.create_connection(("127.0.0.1", server.port)) as half_asked:
        half_asked.sendall(b"POST /api/placeMessage HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            idle = requests.Session()
            idle.get(server.url + "/healthz", timeout=10)
            sockets = [way(server.url).signs_in(alice.token) for way in RAW_SOCKETS.values()]
            server.stops()
            assert silent and sockets
            idle.close()


def test_a_share_that_is_away_does_not_keep_it(server, alice):
    session = alice.checks(FIRST).session
    server.audit_dir.rename(server.folder / "away")
    alice.unchecks(session)
    server.stops()
    (server.folder / "away").rename(server.audit_dir)
    server.starts()
    eventually(lambda: server.share.has(session))


@contextmanager
def hangs(file):
    """A file that never gives what is asked of it, with somebody waiting."""
    file.unlink(missing_ok=True)
    os.mkfifo(file)
    writing = eventually(lambda: opened_for_writing(file))
    try:
        yield
    finally:
        os.close(writing)


def opened_for_writing(pipe):
    """The writing end of a pipe; nothing while nobody reads."""
    with suppress(OSError):
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)


def test_a_share_that_hangs_does_not_keep_it(server, alice):
    alice.unchecks(alice.checks(FIRST).session)
    eventually(server.share.files)
    with hangs(server.share.file()):
        assert alice.checks(FIRST).session
        server.stops()


@pytest.mark.parametrize("name", ["sessions.csv", "users.txt"])
def test_a_list_that_hangs_does_not_keep_it(server, alice, name):
    with hangs(server.config_dir / name):
        assert alice.checks(FIRST).session
        server.stops()


def test_a_mail_server_that_is_silent_does_not_keep_it(make_server):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mail = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": silent.getsockname()[1], "MAIL_TLS": "none"}
        server = make_server(**mail, MAIL_TO="a@example.com", MAIL_FROM="b@example.com").starts()
        message_id = server.signs_in("promon").hands_in("hello")
        silent.accept()
        server.stops()
        server.starts()
        assert server.signs_in("promon").message(message_id)["status"] == "queued"


def test_the_last_uncheck_before_the_end_is_in_the_report(server, alice):
    session = alice.checks(FIRST).session
    alice.unchecks(session)
    server.stops()
    assert server.share.has(session)


def acts(server, name, acknowledged):
    """Checks and unchecks until the server is gone."""
    person = server.signs_in(name)
    try:
        for _ in range(2_000):
            answer = person.checks(random.choice(list(person.board())))
            if answer.status == 201:
                acknowledged.append((answer.body, person.unchecks(answer.body).status))
    except requests.RequestException:
        return


def test_nothing_acknowledged_is_lost(server):
    acknowledged = []
    threads = [threading.Thread(target=acts, args=(server, name, acknowledged)) for name in ("alice", "bob", "carol")]
    for thread in threads:
        thread.start()
    eventually(lambda: len(acknowledged) > 30)
    server.stops()
    for thread in threads:
        thread.join(timeout=30)
    server.starts()
    ended = [session for session, status in acknowledged if status == 200]
    assert ended
    eventually(lambda: server.share.has(*ended))


def test_the_data_directory_is_free_at_once(server, make_server):
    server.stops()
    second = make_server(seed=None, DATA_DIR=server.data_dir).starts()
    assert second.signs_in("alice").checks(FIRST).session


def test_an_interrupt_is_as_good(server):
    server.process.send_signal(signal.SIGINT)
    assert server.ends() == 0
