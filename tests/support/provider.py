"""A real provider of single sign-on on loopback, and people who use it."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin

from support.browser import Browser
from support.program import free_port
from support.waiting import eventually

SCRIPTS = Path(__file__).resolve().parents[2] / "e2e/support"

CLIENT_ID = "vpn-sessions"
CLIENT_SECRET = "the client's secret"

# How long a provider may take until it listens, in seconds.
START_SECONDS = 60


class Provider:
    """`oidc-provider`, which knows people by the claims that it gives of them."""

    def __init__(self, folder, people):
        self.folder = folder
        self.people = people
        self.port = free_port()
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def starts(self, redirect_uri):
        """Starts, and waits until it listens."""
        return self.runs("provider.js", redirect_uri, json.dumps(self.people))

    def lies(self):
        """Starts one instead that says what it is told to."""
        return self.runs("false-provider.js", CLIENT_ID)

    def runs(self, script, *details):
        out = self.folder / "provider.out"
        with open(out, "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which("node"), str(SCRIPTS / script), self.url, *details],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(lambda: self.process.poll() is not None or "ready" in out.read_text(), within=START_SECONDS)
        assert self.process.poll() is None, out.read_text()
        return self

    def stops(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def settings(self, **others):
        """What a server needs to know of it."""
        named = {"OIDC_ISSUER": self.url, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET}
        return {**named, **others}


class Traveller(Browser):
    """A browser that also shows the provider's pages."""

    def goes(self, address, method="GET", **details):
        """Asks any address, follows nothing, and gives the plain answer."""
        details = {"allow_redirects": False, "timeout": 30, **details}
        headers = {"Origin": None, "Sec-Fetch-Site": None}
        return self.client.request(method, address, headers=headers, **details)

    def leaves(self, path="/login/single-sign-on"):
        """Begins, and gives the provider's address to which it is sent."""
        answer = self.gets(path)
        assert answer.status == 303, answer
        return answer.headers["Location"]

    def proves(self, address, name):
        """Is asked by the provider who they are, and gives the address to which that sends them back."""
        for _ in range(12):
            answer = self.goes(address)
            while answer.status_code in (302, 303):
                address = urljoin(address, answer.headers["Location"])
                if address.startswith(self.url):
                    return address
                answer = self.goes(address)
            assert answer.status_code == 200, answer.text
            form = {"prompt": "login", "login": name, "password": "any"}
            if 'value="login"' not in answer.text:
                form = {"prompt": "consent"}
            answer = self.goes(address, "POST", data=form)
            address = urljoin(address, answer.headers["Location"])
        raise AssertionError(f"the provider asks without end: {answer.text}")

    def signs_on(self, name, path="/login/single-sign-on"):
        """The whole way; gives the server's answer to the browser that came back."""
        return self.comes_back(self.proves(self.leaves(path), name))

    def comes_back(self, address):
        return self.gets(address.removeprefix(self.url))
