"""Sockets by hand, for what no client would send.

Engine.IO 4 puts a digit before each packet: `0` open, `1` close, `2` ping,
`3` pong, `4` message. Behind a `4` stands Socket.IO's own digit.
"""

import json

import requests
import websocket

from support.people import plain_session
from support.waiting import SOON, eventually

SEPARATOR = "\x1e"


def address(url, transport):
    return f"{url}/socket.io/?EIO=4&transport={transport}"


def handshake(url, **headers):
    """The HTTP answer to a socket that wants to open."""
    return plain_session().get(address(url, "polling"), headers=headers, timeout=SOON)


def event(number, name, *arguments):
    """An event that asks for the ack of that number."""
    return f"42{number}" + json.dumps([name, *arguments])


class Ended(Exception):
    """The server ended the socket."""


class RawSocket:
    """What both ways have in common: packets as texts, kept until somebody wants them."""

    def __init__(self):
        self.inbox = []

    def signs_in(self, token):
        """Connects to the namespace, and waits for the board."""
        self.sends("40" + json.dumps({"token": token}))
        self.hears("40{")
        self.hears("42[")
        return self

    def hears(self, beginning):
        """The next packet that begins so; others wait for whoever wants them."""
        return eventually(lambda: self._found(beginning) or self.inbox.extend(self.receives()))

    def ack(self, number):
        """The ack of that number."""
        return json.loads(self.hears(f"43{number}[").removeprefix(f"43{number}"))[0]

    def ends(self):
        """Waits until the server ended it."""
        eventually(self._has_ended)

    def _found(self, beginning):
        at = next((at for at, packet in enumerate(self.inbox) if packet.startswith(beginning)), None)
        return None if at is None else self.inbox.pop(at)

    def _has_ended(self):
        try:
            return "1" in self.receives()
        except Ended:
            return True


class RawWebSocket(RawSocket):
    """A socket over WebSocket."""

    def __init__(self, url):
        super().__init__()
        place = address(url, "websocket").replace("http://", "ws://")
        self.socket = websocket.create_connection(place, timeout=SOON, suppress_origin=True)
        assert self.receives()[0].startswith("0{")

    def sends(self, *packets):
        for packet in packets:
            self.socket.send(packet)

    def sends_bytes(self, content):
        self.socket.send_binary(content)

    def receives(self):
        """The next packet."""
        try:
            packet = self.socket.recv()
        except (websocket.WebSocketConnectionClosedException, ConnectionError) as error:
            raise Ended from error
        if not packet:
            raise Ended
        return [packet]


class RawPollingSocket(RawSocket):
    """A socket over long-polling."""

    def __init__(self, url):
        super().__init__()
        self.client = plain_session()
        self.goes_on(url, self.client.get(address(url, "polling"), timeout=SOON).text)

    @classmethod
    def of(cls, url, opened, headers):
        """Goes on with what a handshake opened, as whoever sends those headers."""
        socket = cls.__new__(cls)
        RawSocket.__init__(socket)
        socket.client = plain_session()
        socket.client.headers.update(headers)
        socket.goes_on(url, opened)
        return socket

    def goes_on(self, url, opened):
        assert opened.startswith("0{")
        self.place = address(url, "polling") + "&sid=" + json.loads(opened[1:])["sid"]
        self.path = self.place.removeprefix(url)

    def posts(self, content):
        """Sends bytes, whatever they are, and gives the status."""
        return self.answer_to(content).status_code

    def answer_to(self, content):
        """Sends bytes, whatever they are, and gives the HTTP answer."""
        try:
            return self.client.post(self.place, data=content, timeout=SOON)
        except requests.ConnectionError as error:
            raise Ended from error

    def sends(self, *packets):
        assert self.posts(SEPARATOR.join(packets).encode()) == 200

    def sends_bytes(self, content):
        self.posts(content)

    def receives(self):
        """The packets of the next poll."""
        try:
            answer = self.client.get(self.place, timeout=SOON)
        except requests.ConnectionError as error:
            raise Ended from error
        if answer.status_code != 200:
            raise Ended
        return answer.text.split(SEPARATOR)


RAW_SOCKETS = {"websocket": RawWebSocket, "polling": RawPollingSocket}
