"""What was acknowledged is there after a kill, whatever went on at that moment."""

import threading

import pytest
import requests

from support.lengths import chance, quick_or_long
from support.stories import Stories
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"

# How often a server is killed under load, on the same folders each time.
KILLS = quick_or_long(6, 60)


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


@pytest.mark.parametrize("count", [200, 20])
def test_under_load_every_acknowledged_change_is_there_once(make_server, count):
    lines = [f"main {number % 7};sub {number};9\n" for number in range(count)]
    server = make_server(sessions="".join(lines)).starts()
    stories = Stories(server, chance(f"kills, {count} connections"))
    for _ in range(KILLS):
        stories.go_on_until(server.is_killed)
        server.starts()
        stories.are_kept()


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
