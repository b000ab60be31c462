"""Sockets: the official Python client, as a program uses it."""

import threading

import socketio

from support.answers import Ack
from support.people import plain_session
from support.waiting import SOON, eventually

# How a client gets there: by WebSocket at once, by long-polling only, or by
# long-polling first and WebSocket from then on.
WAYS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}


class Refused(Exception):
    """The server did not let a socket in; `error` is what it said."""

    def __init__(self, error):
        super().__init__(error)
        self.error = error


class Socket:
    """A socket, with everything that it was told."""

    def __init__(self, url, *, token=None, cookie=None, way="websocket", auth=None, headers=()):
        self.url = url
        self.way = way
        self.auth = {**({"token": token} if token else {}), **(auth or {})}
        self.headers = dict(headers)
        if cookie:
            self.headers["Cookie"] = f"{cookie.name}={cookie.value}"
        self.events = []
        self.errors = []
        self.is_in = threading.Event()
        self.has_ended = threading.Event()
        self.client = socketio.Client(reconnection=False, http_session=plain_session())
        self.client.on("board", lambda board: self.events.append(("board", board)))
        self.client.on("changes", lambda changes: self.events.append(("changes", changes)))
        self.client.on("findings", lambda told: self.events.append(("findings", told)))
        self.client.on("connect", self.is_in.set)
        self.client.on("connect_error", self.errors.append)
        self.client.on("disconnect", lambda *_: self.has_ended.set())

    def connects(self):
        """Connects; raises `Refused` where it may not."""
        try:
            self.client.connect(self.url, headers=self.headers, auth=self.auth, transports=WAYS[self.way], wait=False)
        except socketio.exceptions.ConnectionError as error:
            raise Refused(str(error)) from error
        eventually(lambda: self.is_in.is_set() or self.errors or self.client.eio.state != "connected")
        if not self.is_in.is_set():
            self.leaves()
            raise Refused(self.errors[0] if self.errors else "the socket was ended")
        return self

    def leaves(self):
        """Goes, without waiting for a poll that is under way."""
        self.client.eio.disconnect(abort=True)

    def ends(self):
        """Waits until the server ended it."""
        assert self.has_ended.wait(SOON), "the socket was not ended"

    # What it asks.

    def asks(self, event, content=None):
        """Emits an event, and waits for its ack."""
        return Ack(self.client.call(event, content, timeout=SOON))

    def checks(self, connection, **wanted):
        return self.asks("check", {"connection": connection, **wanted})

    def takes_over(self, connection, **wanted):
        return self.asks("take_over", {"connection": connection, **wanted})

    def unchecks(self, session):
        return self.asks("uncheck", {"session": session["id"]})

    def leaves_connection(self, connection):
        """Unchecks one's own session on a connection."""
        return self.asks("uncheck", {"connection": connection})

    def notes(self, session, note):
        return self.asks("note", {"connection": session["connection"], "note": note})

    # What it was told.

    def told(self, name):
        """The payloads of an event so far; where they have a `seq`, by it."""
        return [content for event, content in self._in_order() if event == name]

    def _in_order(self):
        """The client hands each event to a thread of its own, and these may overtake each other."""
        return sorted(list(self.events), key=lambda told: told[1].get("seq", 0))

    def board(self):
        """The board that it was given on connect."""
        return eventually(lambda: self.told("board"))[0]

    def view(self):
        """Each connection as this client knows it by now."""
        known = {}
        for event, content in self._in_order():
            if event == "board":
                known = {}
            if event != "findings":
                known |= {connection["id"]: connection for connection in content["connections"]}
        gone = [name for name, connection in known.items() if connection["retired"] and not connection["sessions"]]
        return {name: connection for name, connection in known.items() if name not in gone}

    def seq(self):
        """The last change that it knows of."""
        return max(content["seq"] for event, content in list(self.events) if event != "findings")

    def holders(self, connection):
        """Who is on a connection, as far as this client knows."""
        return [session["user"] for session in self.view()[connection]["sessions"]]

    def sees(self, connection, *users, within=SOON):
        """Waits until this client knows that those users are on the connection."""
        eventually(lambda: self.told("board") and self.holders(connection) == list(users), within=within)

    def sees_change(self, connection, *users):
        """Waits until a change says that those users are on the connection."""
        eventually(lambda: connection in self.view() and self.holders(connection) == list(users))
