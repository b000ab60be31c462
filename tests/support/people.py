"""People and programs that use the HTTP API."""

import requests

from support.answers import Answer

# How long an answer may take, in seconds.
ANSWER_SECONDS = 30


def plain_session():
    """A client that takes no settings, proxies above all, from its surroundings."""
    client = requests.Session()
    client.trust_env = False
    return client


class Visitor:
    """Somebody who has not signed in, as a program asks."""

    def __init__(self, url, headers=()):
        self.url = url
        self.client = plain_session()
        self.client.headers.update(dict(headers))

    def asks(self, method, path, **details):
        """Sends a request, and follows nothing."""
        details = {"allow_redirects": False, "timeout": ANSWER_SECONDS, **details}
        return Answer(self.client.request(method, self.url + path, **details))

    def gets(self, path, **details):
        return self.asks("GET", path, **details)

    def posts(self, path, content, **details):
        """Sends JSON."""
        return self.asks("POST", path, json=content, **details)

    def board(self):
        """Every connection, by its id."""
        answer = self.gets("/api/v1/connections").is_done()
        return {connection["id"]: connection for connection in answer["connections"]}

    def holders(self, connection):
        """Who is on a connection."""
        return [session["user"] for session in self.board()[connection]["sessions"]]

    def checks(self, connection, **wanted):
        return self.posts("/api/v1/sessions", {"connection": connection, **wanted})

    def takes_over(self, connection, **wanted):
        return self.checks(connection, take_over=True, **wanted)

    def unchecks(self, session):
        return self.asks("DELETE", f"/api/v1/sessions/{session['id']}")

    def notes(self, session, note):
        return self.asks("PATCH", f"/api/v1/sessions/{session['id']}", json={"note": note})

    def places(self, message, **details):
        """Hands in a message as scripts do."""
        return self.posts("/api/placeMessage", {"message": message, **details})

    def hands_in(self, message, **details):
        """Hands in a message the newer way, and gives its id."""
        return self.posts("/api/v1/messages", {"message": message, **details}).is_done(202)["id"]

    def message(self, message_id):
        """A message and what became of it."""
        return self.gets(f"/api/v1/messages/{message_id}").is_done()

    # What admins do with accounts.

    def account(self, name):
        """An account, as admins see it."""
        accounts = self.gets("/api/v1/accounts").is_done()["accounts"]
        return next((account for account in accounts if account["name"] == name), None)

    def adds(self, name, **details):
        return self.posts("/api/v1/accounts", {"name": name, **details})

    def changes(self, name, **wanted):
        return self.asks("PATCH", f"/api/v1/accounts/{name}", json=wanted)

    def disables(self, name, reason="left us"):
        return self.changes(name, disabled=True, reason=reason)

    def invites(self, name):
        return self.asks("POST", f"/api/v1/accounts/{name}/invitation")

    def makes_token(self, *scopes, user=None, name="a program", **details):
        """Makes an API token, and gives everything that is said of it."""
        wanted = {"user": user, "name": name, "scopes": scopes, **details}
        return self.posts("/api/v1/tokens", wanted).is_done(201)

    def sign_ins(self):
        return self.gets("/api/v1/me/sign-ins").is_done()["sign_ins"]

    def downloads(self, report):
        """The bytes of a weekly report."""
        answer = self.gets(f"/api/v1/audit/reports/{report}")
        assert answer.status == 200, answer
        return answer.content


class Person(Visitor):
    """Somebody with an access token."""

    def __init__(self, url, name, token):
        super().__init__(url, {"x-access-tokens": token})
        self.name = name
        self.token = token
