"""Two servers on one data directory: one writes, the other stands by and takes over."""

import contextlib
import json
import os
import random
import signal
import threading
import time

import pytest
import requests
import socketio

from support.disk import chain
from support.people import Person
from support.server import SESSIONS
from support.sockets import Refused, Socket
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
CONNECTIONS = [line.rsplit(";2", 1)[0] for line in SESSIONS.splitlines()]

PAGE = {"Accept": "text/html,application/xhtml+xml"}

# How soon a server has to take over on the same machine, in seconds: 1 is promised.
SOON = 5 + 15

# How soon in every other case, in seconds: 15 are promised.
AFTER_A_WATCH = 15 + 15

IS_LONG = os.environ.get("VPN_SESSIONS_LONG") == "1"

# How often a server is stopped or killed under load, and how many of these are pauses.
ROUNDS, PAUSES = (60, 8) if IS_LONG else (5, 0)


def standby_of(make_server, server):
    """Another server on the same folders, at a port of its own."""
    other = make_server(seed=None, DATA_DIR=server.data_dir, AUDIT_DIR=server.audit_dir)
    other.data_dir, other.audit_dir = server.data_dir, server.audit_dir
    return comes_up(other)


def comes_up(server):
    """Starts, and waits until it answers, be it that it stands by."""
    server.launches()
    eventually(lambda: server.process.poll() is not None or server.is_alive())
    assert server.process.poll() is None, server.log
    return server


@pytest.fixture
def second(make_server, server):
    """A server that stands by."""
    return standby_of(make_server, server)


def is_ready(server):
    return server.visitor().gets("/readyz").status == 200


def takes_over(server, within=SOON):
    """Waits until it serves, and prints how long that took."""
    begun = time.monotonic()
    eventually(lambda: is_ready(server), within=within)
    print(f"took over after {time.monotonic() - begun:.2f} s")


def latest_term(server):
    return max((server.data_dir / "writer").glob("*.term"))


def test_a_standby_says_what_it_is(server, second):
    assert second.visitor().gets("/healthz").is_done() == {"status": "ok"}
    ready = second.visitor().gets("/readyz")
    assert ready.status == 503 and ready.body["status"] == "unavailable"
    [finding] = ready.body["findings"]
    assert (finding["part"], finding["code"]) == ("ledger", "standby")
    assert f"process {server.process.pid}" in finding["detail"] and str(server.data_dir) not in finding["detail"]
    assert second.says("Standing by", second.url) and second.says(f"process {server.process.pid}")
    assert server.readiness()["status"] == "ok"


def test_a_standby_asks_everybody_else_to_come_again(server, second, alice):
    there = Person(second.url, "alice", alice.token)
    for answer in (
        there.gets("/api/v1/connections"),
        there.checks(FIRST),
        there.places("hello"),
        there.posts("/api/placeMessage", {"message": "x" * 60_000}),
        there.gets("/audit"),
        there.gets("/socket.io/?EIO=4&transport=polling"),
        there.asks("POST", "/socket.io/?EIO=4&transport=polling", data=b"40"),
        second.logs_in("alice", "whatever it is"),
    ):
        answer.is_refused("unavailable")
        assert answer.headers["Retry-After"] == "1"
    assert alice.holders(FIRST) == []
    page = second.visitor().gets("/", headers=PAGE)
    assert page.status == 503 and page.headers["Retry-After"] == "1"
    assert 'http-equiv="refresh"' in page.text
    style = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert second.visitor().gets(style).status == 200
    for answer in (page, second.visitor().gets("/healthz"), there.places("hello")):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_standby_that_is_asked_to_stop_stops(server, second, alice):
    before = latest_term(server).name
    second.stops()
    assert alice.checks(FIRST).session
    assert latest_term(server).name == before


def test_a_standby_takes_over_from_one_that_stops(server, second, alice):
    session = alice.checks(FIRST, note="before").session
    client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
    boards = []
    client.on("board", boards.append)
    coming = threading.Thread(
        target=client.connect, args=(second.url,), kwargs={"auth": {"token": alice.token}, "retry": True}
    )
    coming.start()
    server.stops()
    takes_over(second)
    bob = second.signs_in("bob")
    assert bob.board()[FIRST]["sessions"] == [session]
    eventually(lambda: boards)
    client.disconnect()
    coming.join()
    assert second.visitor().gets("/login", headers=PAGE).status == 200, "a page gets through as well"
    assert second.visitor().gets("/readyz").body["findings"] == []
    comes_up(server)
    assert not is_ready(server), "now that one stands by"


def test_a_standby_takes_over_from_one_that_was_killed(server, second, alice):
    session = alice.checks(FIRST).session
    server.is_killed()
    takes_over(second)
    assert second.signs_in("bob").board()[FIRST]["sessions"] == [session]
    comes_up(server)
    second.process.kill()
    # Nobody asks yet how it ended: it is a zombie.
    takes_over(server)
    assert server.signs_in("bob").board()[FIRST]["sessions"] == [session]
    second.ends()
    assert "whole" in server.runs("audit", "verify").is_done()


# What a client sees of a server that is stopped, killed or paused, a wait that was in vain among it.
TROUBLE = (requests.RequestException, socketio.exceptions.SocketIOError, Refused, AssertionError)


class Caller(threading.Thread):
    """Checks and unchecks at whichever server takes it, and remembers what was acknowledged."""

    def __init__(self, name, token, connection, urls):
        super().__init__()
        self.person, self.token, self.connection, self.urls = name, token, connection, urls
        self.checked, self.unchecked, self.stopped = set(), set(), threading.Event()

    def run(self):
        at = 0
        while not self.stopped.is_set():
            url = self.urls[at % len(self.urls)]
            with contextlib.suppress(*TROUBLE):
                self.works_at(url)
            at += 1
            self.stopped.wait(0.05)

    def stops(self):
        self.stopped.set()
        self.join(timeout=60)
        assert not self.is_alive()

    def works_at(self, url):
        caller = Person(url, self.person, self.token)
        caller.client.request = with_timeout(caller.client.request)
        while not self.stopped.is_set():
            answer = caller.checks(self.connection)
            if answer.status not in (201, 409):
                return
            held = answer.body if answer.status == 201 else answer.body["holders"][0]
            if answer.status == 201:
                self.checked.add(held["id"])
            answer = caller.unchecks(held)
            if answer.status != 200:
                return
            self.unchecked.add(held["id"])


def with_timeout(request):
    """One that was paused never answers."""
    return lambda *arguments, **details: request(*arguments, **{**details, "timeout": 2})


class SocketCaller(Caller):
    """The same over a socket."""

    def works_at(self, url):
        socket = Socket(url, token=self.token).connects()
        try:
            while not self.stopped.is_set():
                ack = self.asks(socket, "check", {"connection": self.connection})
                if ack.get("session"):
                    self.checked.add(ack["session"]["id"])
                elif ack.get("code") != "taken":
                    return
                held = ack.get("session") or ack["holders"][0]
                ack = self.asks(socket, "uncheck", {"session": held["id"]})
                if not ack["ok"]:
                    return
                self.unchecked.add(held["id"])
        finally:
            socket.leaves()

    @staticmethod
    def asks(socket, event, content):
        return socket.client.call(event, content, timeout=2)


@pytest.fixture
def callers(server, second):
    """Everybody at once, by both ways, at both servers."""
    urls = [server.url, second.url]
    kinds = [Caller, SocketCaller, Caller, SocketCaller]
    names = ["alice", "bob", "carol", "dave"]
    people = zip(kinds, names, CONNECTIONS, strict=False)
    made = [kind(name, server.signs_in(name).token, connection, urls) for kind, name, connection in people]
    for caller in made:
        caller.start()
    eventually(lambda: all(caller.unchecked for caller in made))
    yield made
    for caller in made:
        caller.stopped.set()


def go_on(callers):
    """Waits until each of them got something acknowledged from here on."""
    before = [len(caller.unchecked) for caller in callers]
    eventually(lambda: all(len(caller.unchecked) > count for caller, count in zip(callers, before, strict=True)), 60)


def is_as_acknowledged(server, callers):
    """The chain holds, and everything acknowledged is in it, once."""
    for caller in callers:
        caller.stops()
    assert "whole" in server.runs("audit", "verify").is_done()
    records = chain(server, "audit")
    ids = {
        kind: [record["body"]["id"] for record in records if record["kind"] == kind] for kind in ("checked", "unchecked")
    }
    for kind in ids:
        assert len(ids[kind]) == len(set(ids[kind])), f"{kind} twice"
    for caller in callers:
        assert caller.checked <= set(ids["checked"]), "an acknowledged check is lost"
        assert caller.unchecked <= set(ids["unchecked"]), "an acknowledged uncheck is lost"
    eventually(lambda: {row["session_id"] for row in server.share.rows()} == set(ids["unchecked"]), 60)


def is_paused_past_its_term(server, second, callers):
    """It lives, so it is watched; when it goes on, it acknowledges nothing more, and ends."""
    server.process.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    takes_over(second, within=AFTER_A_WATCH)
    assert time.monotonic() - begun > 5, "it was watched"
    go_on(callers[::2])
    server.process.send_signal(signal.SIGCONT)
    assert server.ends() == 1
    assert server.says("another server took over", "Start it again")
    go_on(callers)
    comes_up(server)
    assert not is_ready(server), "it stands by"
    is_as_acknowledged(second, callers)


def is_of_another_machine(server, second):
    """Nobody can tell whether its process lives, so it is watched as well."""
    alice = server.signs_in("alice")
    session = alice.checks(FIRST).session
    begun = time.monotonic()
    # What is written to a term while its holder is paused cannot come between.
    server.process.send_signal(signal.SIGSTOP)
    term = latest_term(server)
    line, rest = term.read_text().split("\n", 1)
    term.write_text(json.dumps({**json.loads(line), "boot_id": "of another machine"}) + "\n" + rest)
    eventually(lambda: second.says("another machine"))
    server.is_killed()
    takes_over(second, within=AFTER_A_WATCH)
    assert time.monotonic() - begun > 5, "it was watched"
    assert second.signs_in("bob").board()[FIRST]["sessions"] == [session]


def test_one_of_which_nobody_can_tell_is_watched(make_server, server, second, callers, at_once):
    other = make_server().starts()
    its_standby = standby_of(make_server, other)
    at_once(
        [
            lambda: is_paused_past_its_term(server, second, callers),
            lambda: is_of_another_machine(other, its_standby),
        ]
    )


def test_whoever_is_stopped_or_killed_the_other_goes_on(server, second, callers):
    seed = int(os.environ.get("TEST_SEED", random.randrange(2**32)))
    print(f"seed: TEST_SEED={seed}")
    dice = random.Random(seed)
    pauses = set(dice.sample(range(ROUNDS), PAUSES))
    serving, waiting = server, second
    for number in range(ROUNDS):
        if number in pauses:
            serving.process.send_signal(signal.SIGSTOP)
            takes_over(waiting, within=AFTER_A_WATCH)
            serving.process.send_signal(signal.SIGCONT)
            assert serving.ends() == 1
        elif dice.random() < 0.5:
            serving.stops()
        else:
            serving.is_killed()
        takes_over(waiting)
        comes_up(serving)
        go_on(callers)
        serving, waiting = waiting, serving
    is_as_acknowledged(serving, callers)
