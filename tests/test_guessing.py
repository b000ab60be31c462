"""Whoever guesses passwords waits, and nobody else does."""

import statistics
import time

import pytest

from support.server import SERVICE_PASSWORD, password_of
from support.waiting import eventually

PROXY = {"TRUSTED_PROXIES": "127.0.0.1"}
NO_LIMIT_OF_ADDRESSES = "[limits]\nfailed_sign_ins_per_minute = 1000000\n"


def from_address(address):
    """How a trusted proxy says whom it speaks for."""
    return {"X-Forwarded-For": address}


def guesses(server, name, times, **details):
    """Signs in with a wrong password, so often."""
    wrong = (name.encode(), b"a wrong password")
    return [server.visitor().asks("POST", "/api/loginUser", auth=wrong, **details) for _ in range(times)]


def enters(server, name, **details):
    """Signs in with the right password."""
    return server.visitor().asks("POST", "/api/loginUser", auth=(name, password_of(name)), **details)


def test_after_five_failures_an_account_waits_and_is_told_how_long(server):
    assert [answer.status for answer in guesses(server, "alice", 5)] == [401] * 5
    (refused,) = guesses(server, "alice", 1)
    problem = refused.is_refused("rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    assert "try again in" in problem["detail"]
    assert enters(server, "alice").status == 429, "the right password waits as well: it could be a guess"
    eventually(lambda: enters(server, "alice").status == 200)


def test_waits_double(make_server):
    server = make_server(toml=NO_LIMIT_OF_ADDRESSES).starts()
    guesses(server, "alice", 5)
    longest = 0
    for _ in range(3):
        eventually(lambda: guesses(server, "alice", 1)[0].status == 401)
        told = int(guesses(server, "alice", 1)[0].headers["Retry-After"])
        assert told > longest
        longest = told
    assert 4 <= longest <= 8


def test_a_page_waits_as_well_and_says_so(server):
    browser = server.browser()
    for _ in range(5):
        assert browser.signs_in("alice", "a wrong password").status == 401
    answer = browser.signs_in("alice", password_of("alice"))
    assert answer.status == 429 and int(answer.headers["Retry-After"]) >= 1
    assert "text/html" in answer.headers["Content-Type"] and "try again in" in answer.text


def test_colleagues_at_the_same_address_are_not_locked_out(server):
    guesses(server, "alice", 12)
    for name in ("bob", "carol", "dave", "promon"):
        assert enters(server, name).status == 200


def test_the_owner_is_not_locked_out_from_elsewhere(make_server):
    server = make_server(**PROXY).starts()
    attacker, owner = from_address("203.0.113.9"), from_address("198.51.100.7")
    assert guesses(server, "alice", 7, headers=attacker)[-1].status == 429
    assert enters(server, "alice", headers=owner).status == 200
    assert enters(server, "alice", headers=from_address("2001:db8::1")).status == 200


def test_an_ipv6_network_is_one_address(make_server):
    server = make_server(**PROXY).starts()
    for host in range(1, 6):
        guesses(server, "alice", 1, headers=from_address(f"2001:db8:0:1::{host}"))
    assert enters(server, "alice", headers=from_address("2001:db8:0:1:ffff::9")).status == 429
    assert enters(server, "alice", headers=from_address("2001:db8:0:2::9")).status == 200


def test_an_address_that_fails_at_many_accounts_waits_and_a_right_password_passes(make_server):
    server = make_server(toml="[limits]\nfailed_sign_ins_per_minute = 3\n").starts()
    assert enters(server, "alice").status == 200
    answers = [guesses(server, f"made up {number}", 1)[0] for number in range(8)]
    assert [answer.status for answer in answers[:3]] == [401] * 3
    assert all(answer.status == 429 and int(answer.headers["Retry-After"]) >= 1 for answer in answers[3:])
    assert enters(server, "alice").status == 200, "it was right from there before"
    assert enters(server, "bob").status == 200, "a first try counts"


def test_a_wrong_name_waits_like_a_right_one(make_server):
    server = make_server(toml=NO_LIMIT_OF_ADDRESSES).starts()
    told = set()
    for name in ("alice", "nobody of that name", "x" * 5_000):
        answers = guesses(server, name, 6)
        assert [answer.status for answer in answers] == [401] * 5 + [429]
        told.add((answers[0].text, answers[-1].body["detail"].split(";")[0]))
    assert len(told) == 1, "nothing tells who exists"


@pytest.mark.parametrize("name", ["ALICE", " alice", "Alice "])
def test_another_spelling_is_the_same_account(server, name):
    guesses(server, "alice", 5)
    assert guesses(server, name, 1)[0].status == 429


def test_a_burst_gets_no_more_guesses_than_one_by_one(server, at_once):
    answers = at_once([lambda: guesses(server, "alice", 1)[0].status] * 30)
    assert answers.count(401) == 5 and answers.count(429) == 25


def test_a_crowd_of_right_passwords_at_once_gets_in(server, at_once):
    answers = at_once([lambda: enters(server, "promon").status] * 40)
    assert answers == [200] * 40


def test_who_exists_cannot_be_told_from_the_time(make_server):
    """Medians of interleaved tries, with a bound that noise does not reach: a hash takes tens of milliseconds."""
    server = make_server(toml=NO_LIMIT_OF_ADDRESSES).starts()
    took = {"known": [], "unknown": []}
    known = [name for name in ("alice", "bob", "carol", "dave") for _ in range(4)]
    for number, name in enumerate(known):
        for kind, who in (("known", name), ("unknown", f"nobody {number % 4}")):
            begun = time.monotonic()
            assert guesses(server, who, 1)[0].status == 401
            took[kind].append(time.monotonic() - begun)
    known, unknown = statistics.median(took["known"]), statistics.median(took["unknown"])
    print(f"known {known * 1000:.0f} ms, unknown {unknown * 1000:.0f} ms")
    assert 1 / 4 < known / unknown < 4


def test_the_right_password_is_no_shortcut_to_the_service_user(make_server):
    server = make_server().starts()
    guesses(server, "promon", 5)
    assert server.visitor().asks("POST", "/api/loginUser", auth=("promon", SERVICE_PASSWORD)).status == 429
