"""HTTP by hand, for what no client would send."""

import socket
import ssl
from contextlib import suppress

from support.waiting import SOON


class RawHttp:
    """A connection, and the bytes on it."""

    def __init__(self, server, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=SOON)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.heard = b""

    def sends(self, content):
        self.socket.sendall(content if isinstance(content, bytes) else content.encode())
        return self

    def hears(self, within=SOON):
        """Everything until the server ends the connection; a reset is an end."""
        self.socket.settimeout(within)
        try:
            while chunk := self.socket.recv(65_536):
                self.heard += chunk
        except (ConnectionError, ssl.SSLError):
            pass
        return self.heard

    def status(self):
        """The status of the first answer."""
        self.socket.settimeout(SOON)
        try:
            while b"\r\n" not in self.heard and (chunk := self.socket.recv(65_536)):
                self.heard += chunk
        except ConnectionError:
            pass
        return int(self.heard.split(b" ", 2)[1]) if self.heard else None

    def ends(self):
        self.socket.close()


def answers_to(server, content):
    """What a server says to those bytes until it ends the connection, or waits for more for too long."""
    connection = RawHttp(server).sends(content)
    with suppress(TimeoutError):
        connection.hears()
    connection.ends()
    return connection.heard


def statuses(heard):
    """The status of each answer in those bytes."""
    lines = heard.split(b"\r\n")
    return [int(line.split(b" ")[1]) for line in lines if line.startswith(b"HTTP/1.1 ")]
