"""Several people at once, until their server is gone; and what has to be left of what they did."""

import threading
from dataclasses import dataclass, field

import requests

from support.waiting import eventually

NAMES = ("alice", "bob", "carol", "dave")

# Room for everybody, though each leaves some sessions as they are.
CONNECTIONS = "".join(f"main {number % 7};sub {number};9\n" for number in range(40))

# After how many more acknowledged unchecks at least, and at most, the server goes.
UNCHECKS_UNTIL_THE_END = (10, 80)

# How many checks each person makes at most in one life of the server.
MOST_CHECKS = 2_000


@dataclass
class Story:
    """What one person did, as the server acknowledged it."""

    checked: dict = field(default_factory=dict)
    asked_to_uncheck: set = field(default_factory=set)
    unchecked: set = field(default_factory=set)
    messages: list = field(default_factory=list)
    problems: list = field(default_factory=list)

    def unchecks(self, person, session):
        self.asked_to_uncheck.add(session["id"])
        person.unchecks(session).is_done()
        self.unchecked.add(session["id"])


class Stories:
    """The stories of everybody on a server."""

    def __init__(self, server, random, late_answers_count=True):
        """Without late answers only what was acknowledged before the end began has to be kept."""
        self.server = server
        self.late_answers_count = late_answers_count
        self.random = random
        self.is_over = False
        self.stories = {name: Story() for name in NAMES}
        self.connections = list(server.signs_in("alice").board())

    def go_on_until(self, end):
        """Everybody at once, until enough is done; then `end` happens in the middle of it."""
        people = [self.server.signs_in(name) for name in NAMES]
        self.is_over = False
        threads = [threading.Thread(target=self._lives, args=[person]) for person in people]
        for thread in threads:
            thread.start()
        enough = self._unchecked() + self.random.randint(*UNCHECKS_UNTIL_THE_END)
        eventually(lambda: self._unchecked() >= enough or self._problems(), within=60)
        self.is_over = True
        end()
        for thread in threads:
            thread.join(timeout=60)
        assert not self._problems(), self._problems()

    def are_kept(self):
        """Waits until all that was acknowledged is there, each once; then everybody goes home."""
        eventually(self._are_as_acknowledged, within=30)
        assert "whole" in self.server.runs("audit", "verify").is_done()
        for name in NAMES:
            self._goes_home(self.server.signs_in(name))

    def _lives(self, person):
        story = self.stories[person.name]
        try:
            for number in range(MOST_CHECKS):
                self._checks(person, story)
                if number % 10 == 0 and person.name == "dave":
                    self._notes(story.messages.append, person.hands_in("hello"))
        except requests.RequestException:
            return
        except AssertionError as problem:
            if not (self.is_over and str(problem).startswith("503 ")):
                story.problems.append(problem)

    def _checks(self, person, story):
        answer = person.checks(self.random.choice(self.connections), note="here")
        if answer.status == 409:
            return
        session = answer.session
        self._notes(story.checked.update, {session["id"]: session["connection"]})
        if self.random.random() < 0.9:
            story.asked_to_uncheck.add(session["id"])
            person.unchecks(session).is_done()
            self._notes(story.unchecked.add, session["id"])

    def _notes(self, note, acknowledged):
        if self.late_answers_count or not self.is_over:
            note(acknowledged)

    def _goes_home(self, person):
        for line in person.board().values():
            for session in line["sessions"]:
                if session["user"] == person.name:
                    self.stories[person.name].unchecks(person, session)

    def _unchecked(self):
        return sum(len(story.unchecked) for story in self.stories.values())

    def _problems(self):
        return [problem for story in self.stories.values() for problem in story.problems]

    def _are_as_acknowledged(self):
        """Every acknowledged uncheck is one row, and everything else is on the board or one row."""
        dave = self.server.signs_in("dave")
        held = {session["id"] for line in dave.board().values() for session in line["sessions"]}
        rows = [row["session_id"] for row in self.server.share.rows()]
        assert len(rows) == len(set(rows)), "a session stands there twice"
        assert not held & set(rows), "a session is on the board and ended"
        for story in self.stories.values():
            assert story.unchecked <= set(rows), "an acknowledged uncheck is not in a report"
            assert story.checked.keys() <= held | set(rows), "an acknowledged check is lost"
            assert story.checked.keys() - story.asked_to_uncheck <= held, "a session ended that nobody unchecked"
        kept = [message["id"] for message in dave.gets("/api/v1/messages?limit=500").is_done()["messages"]]
        assert set(self.stories["dave"].messages[-100:]) <= set(kept), "an acknowledged message is lost"
        assert len(kept) == len(set(kept)), "a message is there twice"
        return True
