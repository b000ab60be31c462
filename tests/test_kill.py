"""What was acknowledged is there after a kill, whatever went on at that moment."""

import random
import threading
from dataclasses import dataclass, field

import pytest
import requests

from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"

# How often a server is killed under load, on the same folders each time.
KILLS = 6

# After how many acknowledged unchecks at least, and at most, it is killed.
UNCHECKS_UNTIL_KILL = (10, 80)

# How many checks each person makes at most in one life of the server.
MOST_CHECKS = 2_000


def test_a_check_survives_a_kill(server, way_in):
    session = way_in(server, "alice").checks(FIRST, note="still here").session
    server.comes_back_after_a_kill()
    assert server.signs_in("bob").board()[FIRST]["sessions"] == [session]


def test_an_uncheck_survives_a_kill(server, way_in):
    alice = way_in(server, "alice")
    session = alice.checks(FIRST).session
    ended = alice.unchecks(session).session
    server.comes_back_after_a_kill()
    alice = server.signs_in("alice")
    assert alice.holders(FIRST) == []
    assert alice.unchecks(session).session == ended
    eventually(lambda: server.share.has(session))


def test_a_note_and_a_take_over_survive_a_kill(server, way_in):
    alice, bob = way_in(server, "alice"), way_in(server, "bob")
    taken = alice.checks(FIRST).session
    session = bob.takes_over(FIRST).session
    bob.notes(session, "changed")
    server.comes_back_after_a_kill()
    assert server.signs_in("carol").board()[FIRST]["sessions"] == [{**session, "note": "changed"}]
    eventually(lambda: server.share.has(taken))
    assert server.share.row(taken)["ended_by"] == "taken-over:bob"


def test_sign_ins_survive_a_kill(server):
    browser = server.signs_in_browser("alice")
    server.comes_back_after_a_kill()
    assert browser.gets("/").status == 200


def test_a_server_that_is_killed_again_and_again_comes_back_at_once(server, alice):
    for number in range(5):
        alice.unchecks(alice.checks(FIRST, note=str(number)).session)
        server.comes_back_after_a_kill()
    eventually(lambda: len(server.share.rows()) == 5)
    assert [row["note"] for row in server.share.rows()] == ["0", "1", "2", "3", "4"]


@dataclass
class Story:
    """What one person did, as the server acknowledged it."""

    checked: dict = field(default_factory=dict)
    asked_to_uncheck: set = field(default_factory=set)
    unchecked: set = field(default_factory=set)
    problems: list = field(default_factory=list)

    def unchecks(self, person, session):
        self.asked_to_uncheck.add(session["id"])
        person.unchecks(session).is_done()
        self.unchecked.add(session["id"])


def lives(person, connections, story):
    """Checks and unchecks until the server is gone."""
    try:
        for _ in range(MOST_CHECKS):
            connection = random.choice(connections)
            answer = person.checks(connection)
            if answer.status == 409:
                continue
            session = answer.session
            story.checked[session["id"]] = connection
            if random.random() < 0.9:
                story.unchecks(person, session)
    except requests.RequestException:
        return
    except AssertionError as problem:
        story.problems.append(problem)


def live_until_a_kill(server, people, connections, stories):
    """Everybody at once, until the server is killed in the middle of it."""
    before = sum(len(story.unchecked) for story in stories)
    pairs = zip(people, stories, strict=True)
    threads = [threading.Thread(target=lives, args=(person, connections, story)) for person, story in pairs]
    for thread in threads:
        thread.start()
    enough = before + random.randint(*UNCHECKS_UNTIL_KILL)
    eventually(lambda: sum(len(story.unchecked) for story in stories) >= enough, within=60)
    server.is_killed()
    for thread in threads:
        thread.join(timeout=60)
    assert [story.problems for story in stories] == [[] for _ in stories]


def is_as_acknowledged(server, stories):
    """Every acknowledged uncheck is one row, and everything else is on the board or one row."""
    held = {session["id"] for line in server.signs_in("dave").board().values() for session in line["sessions"]}
    rows = [row["session_id"] for row in server.share.rows()]
    assert len(rows) == len(set(rows)), "a session stands there twice"
    assert not held & set(rows), "a session is on the board and ended"
    for story in stories:
        assert story.unchecked <= set(rows), "an acknowledged uncheck is not in a report"
        assert story.checked.keys() <= held | set(rows), "an acknowledged check is lost"
        assert story.checked.keys() - story.asked_to_uncheck <= held, "a session ended that nobody unchecked"
    return True


@pytest.mark.parametrize("kind", ["many connections", "few connections"])
def test_under_load_every_acknowledged_change_is_there_once(make_server, kind):
    names = ("alice", "bob", "carol", "dave")
    count = 200 if kind == "many connections" else 20
    ids = [f"main {number % 7};sub {number}" for number in range(count)]
    server = make_server(sessions="".join(f"{name};9\n" for name in ids)).starts()
    people = [server.signs_in(name) for name in names]
    stories = [Story() for _ in names]
    for _ in range(KILLS):
        live_until_a_kill(server, people, ids, stories)
        server.starts()
        eventually(lambda: is_as_acknowledged(server, stories), within=30)
        for person, story in zip(people, stories, strict=True):
            goes_home(person, story)


def goes_home(person, story):
    """Unchecks whatever the person is on."""
    for line in person.board().values():
        for session in line["sessions"]:
            if session["user"] == person.name:
                story.unchecks(person, session)


def test_messages_accepted_under_load_survive_a_kill(server, dave):
    accepted, stop = [], threading.Event()

    def hands_in():
        person = server.signs_in("dave")
        try:
            while not stop.is_set() and len(accepted) < 3_000:
                accepted.append(person.hands_in("hello"))
        except requests.RequestException:
            stop.set()

    threads = [threading.Thread(target=hands_in) for _ in range(3)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(accepted) >= 50, within=60)
    server.is_killed()
    for thread in threads:
        thread.join(timeout=60)
    server.starts()
    found = dave.gets("/api/v1/messages", params={"limit": 500}).is_done()["messages"]
    kept = {message["id"] for message in found}
    assert set(accepted[-100:]) <= kept
    assert len(kept) == len(found)
