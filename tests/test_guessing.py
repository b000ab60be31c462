"""Whoever guesses passwords waits, and nobody else does. To the second, it is tested with a clock that is set."""

import base64
import select
import statistics
import time

import pytest

from support.raw_http import RawHttp
from support.server import password_of
from support.waiting import eventually

PROXY = {"TRUSTED_PROXIES": "127.0.0.1"}
NO_LIMIT_OF_ADDRESSES = "[limits]\nfailed_sign_ins_per_minute = 1000000\n"

# Waits double, so that a machine however busy is locked out by the last of these.
TRIES_UNTIL_LOCKED_OUT = 12

# Names that are tried at once: many times what an address may have under way.
MADE_UP = 400


def from_address(address):
    """How a trusted proxy says whom it speaks for."""
    return {"X-Forwarded-For": address}


def guess(server, name, **details):
    """Signs in with a wrong password."""
    return server.visitor().asks("POST", "/api/loginUser", auth=(name.encode(), b"a wrong password"), **details)


def guess_by_hand(name, address):
    """The bytes of a sign-in with a wrong password."""
    basic = base64.b64encode(f"{name}:a wrong password".encode()).decode()
    lines = ["POST /api/loginUser HTTP/1.1", "Host: localhost", f"Authorization: Basic {basic}", "Content-Length: 0"]
    return "\r\n".join([*lines, f"X-Forwarded-For: {address}", "", ""])


def enters(server, name, **details):
    """Signs in with the right password."""
    return server.visitor().asks("POST", "/api/loginUser", auth=(name, password_of(name)), **details)


def locks_out(server, name, seconds=1, **details):
    """Guesses until it has to wait for so long, and gives all answers."""
    answers = []

    def is_locked_out():
        answers.append(guess(server, name, **details))
        return int(answers[-1].headers.get("Retry-After", 0)) >= seconds

    eventually(is_locked_out, within=90)
    return answers


def test_after_five_failures_an_account_waits_and_is_told_how_long(server):
    answers = locks_out(server, "alice")
    assert [answer.status for answer in answers[:5]] == [401] * 5
    problem = answers[-1].is_refused("rate_limited")
    assert "try again in" in problem["detail"]
    eventually(lambda: enters(server, "alice").status == 200)


def test_waits_double_and_the_right_password_waits_as_well(make_server):
    server = make_server(toml=NO_LIMIT_OF_ADDRESSES).starts()
    told = [int(answer.headers.get("Retry-After", 0)) for answer in locks_out(server, "alice", seconds=7)]
    assert max(told) == told[-1] <= 64
    assert enters(server, "alice").status == 429, "it could be a guess"
    eventually(lambda: enters(server, "alice").status == 200, within=90)


def test_a_page_waits_as_well_and_says_so(server):
    browser = server.browser()
    answers = [browser.signs_in("alice", "a wrong password") for _ in range(TRIES_UNTIL_LOCKED_OUT)]
    assert [answer.status for answer in answers[:5]] == [401] * 5
    refused = next(answer for answer in answers if answer.status == 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert "text/html" in refused.headers["Content-Type"] and "try again in" in refused.text


def test_colleagues_at_the_same_address_are_not_locked_out(server):
    locks_out(server, "alice")
    for name in ("bob", "carol", "dave", "promon"):
        assert enters(server, name).status == 200


def test_the_owner_is_not_locked_out_from_elsewhere(make_server):
    server = make_server(**PROXY).starts()
    locks_out(server, "alice", headers=from_address("203.0.113.9"))
    assert enters(server, "alice", headers=from_address("198.51.100.7")).status == 200
    assert enters(server, "alice", headers=from_address("2001:db8::1")).status == 200


def test_picking_a_name_on_an_open_board_ends_no_wait(make_server):
    server = make_server(BOARD_ACCESS="open", toml=NO_LIMIT_OF_ADDRESSES).starts()
    statuses = []
    for _ in range(TRIES_UNTIL_LOCKED_OUT):
        assert server.browser().signs_in("dave", "").status == 303, "a pick waits for nothing"
        statuses.append(server.browser().signs_in("dave", "a wrong password").status)
    assert statuses[:5] == [401] * 5 and 429 in statuses


def test_an_ipv6_network_is_one_address(make_server):
    server = make_server(**PROXY, toml=NO_LIMIT_OF_ADDRESSES).starts()
    answers = [
        guess(server, "alice", headers=from_address(f"2001:db8:0:1::{host:x}")).status
        for host in range(TRIES_UNTIL_LOCKED_OUT)
    ]
    assert answers[:5] == [401] * 5 and 429 in answers
    assert enters(server, "alice", headers=from_address("2001:db8:0:2::9")).status == 200


def test_an_address_that_fails_at_many_accounts_waits_and_a_right_password_passes(make_server):
    server = make_server(toml="[limits]\nfailed_sign_ins_per_minute = 1\n").starts()
    assert enters(server, "alice").status == 200
    answers = [guess(server, f"made up {number}") for number in range(4)]
    assert [answer.status for answer in answers] == [401, 429, 429, 429]
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers[1:])
    assert enters(server, "alice").status == 200, "it was right from there before"
    assert enters(server, "bob").status == 200, "a first try counts"


def test_a_wrong_name_waits_like_a_right_one(make_server):
    server = make_server(toml=NO_LIMIT_OF_ADDRESSES).starts()
    told = set()
    for name in ("alice", "nobody of that name", "x" * 5_000):
        answers = locks_out(server, name)
        assert [answer.status for answer in answers[:5]] == [401] * 5
        told.add((answers[0].text, answers[-1].body["detail"].split(";")[0]))
    assert len(told) == 1, "nothing tells who exists"


@pytest.mark.parametrize("name", ["ALICE", " alice", "Alice "])
def test_another_spelling_is_the_same_account(server, name):
    for _ in range(5):
        guess(server, "alice")
    assert 429 in [guess(server, name).status for _ in range(4)], "five of its own would be free"


def test_a_burst_gets_no_more_guesses_than_one_by_one(server, at_once):
    answers = at_once([lambda: guess(server, "alice").status] * 30)
    # Beyond five only what came a doubled wait later, on a machine that is busy.
    assert 5 <= answers.count(401) <= 9 and set(answers) == {401, 429}


def test_a_burst_of_made_up_names_holds_nobody_else_up(make_server):
    server = make_server(**PROXY).starts()
    burst = [RawHttp(server) for _ in range(MADE_UP)]
    for number, one in enumerate(burst):
        one.sends(guess_by_hand(f"made up {number}", "203.0.113.9"))
    begun, _, _ = select.select([one.socket for one in burst], [], [], 0)
    assert enters(server, "alice", headers=from_address("198.51.100.7")).status == 200
    answered, _, _ = select.select([one.socket for one in burst], [], [], 0)
    for one in burst:
        one.ends()
    print(f"answered before: {len(begun)}, meanwhile: {len(answered) - len(begun)}")
    assert len(answered) < MADE_UP * 3 / 8, "who is elsewhere does not stand behind them"


def test_a_crowd_of_right_passwords_at_once_gets_in(server, at_once):
    answers = at_once([lambda: enters(server, "promon").status] * 30)
    assert answers == [200] * 30


def test_who_exists_cannot_be_told_from_the_time(make_server):
    """Medians of interleaved tries, with a bound that noise does not reach: a hash takes tens of milliseconds."""
    server = make_server(toml=NO_LIMIT_OF_ADDRESSES).starts()
    took = {"known": [], "unknown": []}
    for number, name in enumerate(name for name in ("alice", "bob", "carol", "dave") for _ in range(4)):
        for kind, who in (("known", name), ("unknown", f"nobody {number % 4}")):
            begun = time.monotonic()
            assert guess(server, who).status == 401
            took[kind].append(time.monotonic() - begun)
    known, unknown = statistics.median(took["known"]), statistics.median(took["unknown"])
    print(f"known {known * 1000:.0f} ms, unknown {unknown * 1000:.0f} ms")
    assert 1 / 5 < known / unknown < 5
