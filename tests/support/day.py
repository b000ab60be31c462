"""A fixed run of commands of every kind, and what has to be left of it after the worst."""

import signal
from dataclasses import dataclass, field

import requests

from support.people import Person
from support.server import password_of
from support.waiting import eventually

FIRST = "vpn main 1;vpn sub 1"
SECOND = "vpn main 1;vpn sub 2"
NEW_PASSWORD = "another long password of carol"


@dataclass
class Day:
    """What was asked of a server, and what it acknowledged."""

    server: object
    tokens: dict
    asked: set = field(default_factory=set)
    acknowledged: dict = field(default_factory=dict)

    def person(self, name):
        return Person(self.server.url, name, self.tokens[name])

    def does(self, step):
        """Takes a step, and waits until the share has what comes of it; tells whether the server lives."""
        self.asked.add(step)
        try:
            self.acknowledged[step] = step(self)
        except requests.RequestException:
            self.server.ends()
            return False
        eventually(lambda: self.has_ended() or self.is_reported())
        return not self.has_ended()

    def has_ended(self):
        return self.server.process.poll() is not None

    def is_reported(self):
        """Whether each acknowledged end is in its report, with a checkpoint behind it."""
        ended = [self.acknowledged[check]["id"] for check, end in ENDS.items() if end in self.acknowledged]
        rows = [row["session_id"] for row in self.server.share.rows()]
        return rows.count(None) == 0 and all(rows.count(one) == 1 for one in ended) and self._is_signed(len(ended))

    def _is_signed(self, count):
        if count == 0:
            return True
        report = self.server.share.file()
        checkpoint = report.with_suffix(".checkpoint")
        return checkpoint.exists() and checkpoint.stat().st_mtime_ns >= report.stat().st_mtime_ns


# The steps.


def alice_checks(day):
    return day.person("alice").checks(FIRST).session


def bob_checks(day):
    return day.person("bob").checks(SECOND, note="before").session


def bob_changes_his_note(day):
    return day.person("bob").notes(day.acknowledged[bob_checks], "after").session


def dave_hands_in_a_message(day):
    return day.person("dave").hands_in("hello")


def dave_takes_over(day):
    return day.person("dave").takes_over(FIRST).session


def bob_unchecks(day):
    return day.person("bob").unchecks(day.acknowledged[bob_checks]).session


def dave_sets_a_password(day):
    path = "/api/v1/accounts/carol/password"
    answer = day.person("dave").asks("PUT", path, json={"password": NEW_PASSWORD})
    assert answer.status in (200, 204), answer
    return answer


def carol_signs_in(day):
    browser = day.server.browser()
    answer = browser.signs_in("carol", NEW_PASSWORD)
    assert answer.status == 303, answer
    return browser


def the_server_is_stopped(day):
    day.server.process.send_signal(signal.SIGTERM)
    day.server.ends()


STEPS = [
    alice_checks,
    bob_checks,
    bob_changes_his_note,
    dave_hands_in_a_message,
    dave_takes_over,
    bob_unchecks,
    dave_sets_a_password,
    carol_signs_in,
    the_server_is_stopped,
]

# Which step ends what another began.
ENDS = {alice_checks: dave_takes_over, bob_checks: bob_unchecks}
CHECKS = {alice_checks: "alice", bob_checks: "bob", dave_takes_over: "dave"}


# What is left of it.


def is_kept(day):
    """Asserts that a server that came back has what was acknowledged, each once, and nothing that nobody asked for."""
    _sessions_are_kept(day)
    _the_note_is_kept(day)
    _the_message_is_kept(day)
    _the_password_is_kept(day)
    if carol_signs_in in day.acknowledged:
        assert day.acknowledged[carol_signs_in].gets("/").status == 200
    assert "whole" in day.server.runs("audit", "verify").is_done()


def _held(day):
    return [session for line in day.person("alice").board().values() for session in line["sessions"]]


def _sessions_are_kept(day):
    held = {session["id"]: session["user"] for session in _held(day)}
    ended = eventually(lambda: _rows_of_what_ended(day, held))
    users = sorted([*held.values(), *(row["user"] for row in ended)])
    assert len(users) == len(set(users)), f"somebody is there twice: {held}, {ended}"
    assert set(users) <= {CHECKS[step] for step in CHECKS if step in day.asked}, "a session that nobody asked for"
    ids = {row["session_id"] for row in ended}
    for step in CHECKS:
        if step in day.acknowledged:
            _session_is_kept(day, step, held, ids)
    if "dave" in users:
        assert "alice" in {row["user"] for row in ended}, "a take-over was done by half"


def _rows_of_what_ended(day, held):
    """The share's rows, once it has each session that was ended; a list in a tuple is true when empty."""
    rows = day.server.share.rows()
    missing = [
        step
        for step in ENDS
        if step in day.acknowledged
        and day.acknowledged[step]["id"] not in [*held, *(row["session_id"] for row in rows)]
    ]
    return Rows(rows) if not missing else None


class Rows(list):
    """Rows, of which none is an answer too."""

    def __bool__(self):
        return True


def _session_is_kept(day, step, held, ended):
    session = day.acknowledged[step]["id"]
    assert (session in held) != (session in ended), f"{step.__name__}: neither here nor there, or both"
    if ENDS.get(step) in day.acknowledged:
        assert session in ended, f"the end of {step.__name__} is lost"
    if session in ended:
        assert ENDS.get(step) in day.asked, f"{step.__name__} was ended, yet nobody asked for it"


def _the_note_is_kept(day):
    if bob_checks not in day.acknowledged:
        return
    notes = [session["note"] for session in _held(day) if session["user"] == "bob"]
    notes += [row["note"] for row in day.server.share.rows() if row["user"] == "bob"]
    assert notes in _possible(day, bob_changes_his_note, ["before"], ["after"])


def _the_message_is_kept(day):
    kept = [message["id"] for message in day.person("dave").gets("/api/v1/messages").is_done()["messages"]]
    if dave_hands_in_a_message in day.acknowledged:
        assert kept == [day.acknowledged[dave_hands_in_a_message]]
    assert len(kept) <= len({dave_hands_in_a_message} & day.asked), "a message that nobody handed in"


def _the_password_is_kept(day):
    works = [day.server.logs_in("carol", given).status == 200 for given in (password_of("carol"), NEW_PASSWORD)]
    assert works in _possible(day, dave_sets_a_password, [True, False], [False, True])


def _possible(day, step, before, after):
    """How it may be: as before where nobody asked, as after where it was acknowledged, else either."""
    if step in day.acknowledged:
        return [after]
    return [before, after] if step in day.asked else [before]
