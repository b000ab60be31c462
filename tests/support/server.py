"""A running server with its own folders, as an operator handles it."""

import shutil
import signal
import subprocess
import time

import requests

from support import program
from support.browser import Browser
from support.people import Person, Visitor, plain_session
from support.reports import Share
from support.waiting import BUSY_MACHINE, eventually

SESSIONS = """\
vpn main 1;vpn sub 1
vpn main 1;vpn sub 2
vpn main 2;vpn sub 1
vpn main 2;vpn sub 2
vpn main 3;jump host;2
"""

USERS = "alice\nbob\ncarol;auditor\ndave;admin\n"

SERVICE_USER = "promon"
SERVICE_PASSWORD = "the service user's own password"

# Long enough for any address; its bytes sign the access tokens.
SECRET_KEY = "a key of access tokens, long enough for all"

# How long a server may take until it answers, in seconds.
START_SECONDS = 30

# A process that is asked to end, and has not after this long, in seconds, never will.
HANGS_AFTER = 12

# The interface's own promises, in seconds.
SHUTDOWN_SECONDS = 3
RELOAD_SECONDS = 2 + BUSY_MACHINE


def password_of(name):
    """What each user of the tests signs in with."""
    return SERVICE_PASSWORD if name == SERVICE_USER else f"{name} knows a long password"


class Server:
    """The program, its folders and its settings; stopped at first."""

    def __init__(self, folder, *, seed=None, authority=None, sessions=SESSIONS, users=USERS, toml=None, **settings):
        self.folder = folder
        self.config_dir = folder / "config"
        self.data_dir = folder / "data"
        self.audit_dir = folder / "audit"
        self.authority = authority
        self.port = program.free_port()
        self.process = None
        self.tokens = {}
        self.config_dir.mkdir(parents=True)
        if seed:
            shutil.copytree(seed, self.data_dir)
        self.writes("sessions.csv", sessions)
        self.writes("users.txt", users)
        if toml is not None:
            self.writes("vpn-sessions.toml", toml)
        usual = {
            "CONFIG_DIR": str(self.config_dir),
            "DATA_DIR": str(self.data_dir),
            "AUDIT_DIR": str(self.audit_dir),
            "LISTEN": f"127.0.0.1:{self.port}",
            "HC_PW": SERVICE_PASSWORD,
            "SECRET_KEY": SECRET_KEY,
        }
        given = {name: str(value) for name, value in settings.items() if value is not None}
        self.settings = {name: value for name, value in usual.items() if name not in settings} | given

    @property
    def url(self):
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self.port}"

    @property
    def share(self):
        return Share(self.audit_dir)

    # The configuration directory.

    def writes(self, name, content):
        """Saves a file of the configuration directory."""
        content = content if isinstance(content, bytes) else content.encode()
        (self.config_dir / name).write_bytes(content)

    # Starting and ending.

    def starts(self, *arguments, stderr=None):
        """Starts, and waits until it answers."""
        self.tokens.clear()
        self.launches(*arguments, stderr=stderr)
        return self.is_ready()

    def is_ready(self):
        """Waits until it answers."""
        eventually(lambda: self.process.poll() is not None or self.answers(), within=START_SECONDS)
        assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.log}"
        return self

    def launches(self, *arguments, stderr=None):
        """Starts the process, and waits for nothing."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [program.binary(), *arguments],
                env=self.settings,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=stderr or log,
            )
        return self.process

    def stops(self):
        """Ends by SIGTERM, as promised: in time, and well."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.ends()
        took = time.monotonic() - begun
        assert code == 0, f"exit code {code}; {self.log}"
        assert took < SHUTDOWN_SECONDS, f"it took {took:.1f} s to stop"
        return self

    def ends(self):
        """Waits until the process has ended, and gives its exit code."""
        try:
            return self.process.wait(timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"it does not end; {self.log}") from error

    def is_killed(self):
        """Ends by SIGKILL, in the middle of whatever it does."""
        self.process.kill()
        self.ends()
        return self

    def restarts(self):
        return self.stops().starts()

    def comes_back_after_a_kill(self):
        return self.is_killed().starts()

    def is_cleared_away(self):
        """Leaves no process behind, whatever happened."""
        if self.process and self.process.poll() is None:
            self.is_killed()

    # What is said of it.

    @property
    def log(self):
        """Everything that it has said so far."""
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def says(self, *words):
        """Whether one line of the log has all those words."""
        return any(all(word in line for word in words) for line in self.log.splitlines())

    def readiness(self):
        """What `/readyz` says."""
        return self.visitor().gets("/readyz").is_done()

    def takes_changes(self):
        """Whether `/readyz` says that changes can be taken; where they cannot, the status says so too."""
        answer = Visitor(self.url).gets("/readyz")
        assert (answer.status == 503) == (answer.body["status"] == "unavailable"), answer
        return answer.status == 200

    def refused_changes(self):
        """What `/readyz` says of changes that cannot be taken."""
        answer = Visitor(self.url).gets("/readyz").is_done(503)
        return [finding["detail"] for finding in answer["findings"] if finding["part"] == "ledger"]

    def findings(self, part):
        """What is wrong with a part."""
        found = self.readiness()["findings"]
        return [finding["detail"] for finding in found if finding["part"] == part]

    # Commands beside it.

    def runs(self, *arguments, given="", **settings):
        """Runs a command with this server's settings, or with those instead."""
        return program.run(*arguments, settings=self.settings | settings, folder=self.folder, given=given)

    def refuses_to_start(self, *words):
        """Tries to start, and asserts that it ends with one line that names those things."""
        return self.runs().is_refused(*words)

    # Who comes.

    def visitor(self, headers=()):
        return self._trusted(Visitor(self.url, headers))

    def browser(self):
        return self._trusted(Browser(self.url))

    def _trusted(self, visitor):
        """Whoever comes knows the authority that made the server's certificate."""
        visitor.client.verify = self.authority or True
        return visitor

    def signs_in(self, name, password=None):
        """A program of that account, with an access token that it keeps while the server runs."""
        if password or name not in self.tokens:
            self.tokens[name] = self.logs_in(name, password or password_of(name)).is_done()["token"]
        return self._trusted(Person(self.url, name, self.tokens[name]))

    def logs_in(self, name, password):
        """The answer to `POST /api/loginUser`."""
        return self.visitor().asks("POST", "/api/loginUser", auth=(name.encode(), password.encode()))

    def signs_in_browser(self, name, password=None):
        """A browser of that account."""
        browser = self.browser()
        password = password_of(name) if password is None else password
        answer = browser.signs_in(name, password)
        assert answer.status == 303, answer
        return browser

    def is_alive(self):
        """Whether it answers, be it that it stands by."""
        try:
            return plain_session().get(self.url + "/healthz", timeout=5, verify=self.authority or True).ok
        except requests.RequestException:
            return False

    def answers(self):
        """Whether it serves: it answers, and does not stand by for another server."""
        try:
            asked = {"timeout": 5, "verify": self.authority or True}
            return self.is_alive() and '"standby"' not in plain_session().get(self.url + "/readyz", **asked).text
        except requests.RequestException:
            return False
