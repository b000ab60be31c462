"""A real mail server: STARTTLS, then a login, then mails, as a provider wants it."""

import email
import email.policy
import asyncio
import ssl
import threading
from dataclasses import dataclass

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from support.program import free_port

USER = "board@example.com"
PASSWORD = "the password at the mail server"
MAIL_TO = "oncall@example.com"


@dataclass(frozen=True)
class Attempt:
    """A mail as it came, whatever the server said to it."""

    sender: str
    recipients: tuple
    content: bytes
    was_private: bool

    @property
    def mail(self):
        return email.message_from_bytes(self.content, policy=email.policy.default)

    @property
    def text(self):
        """The text, with the line ends that people know."""
        return self.mail.get_content().replace("\r\n", "\n")

    @property
    def message_id(self):
        return self.mail["Message-ID"]


class MailServer:
    """The server; `says` answers each mail in turn, then every mail is taken."""

    def __init__(self, certificates):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "mail.pem", certificates / "mail.key")
        self.context = context
        self.authority = certificates / "authority.pem"
        self.port = free_port()
        self.thinks_for = 0
        self.says = []
        self.says_of_recipients = []
        self.attempts = []
        self.taken = []
        self.logins = []
        self.controller = None
        self.lock = threading.Lock()

    def settings(self, **changed):
        """What the program is told of it."""
        return {
            "MAIL_SERVER": "localhost",
            "MAIL_PORT": self.port,
            "MAIL_TO": MAIL_TO,
            "MAIL_FROM": USER,
            "MAIL_USER": USER,
            "MAIL_PW": PASSWORD,
            "SSL_CERT_FILE": self.authority,
            **changed,
        }

    def starts(self, **details):
        """Serves; with `tls_context=None` without STARTTLS."""
        usual = {
            "tls_context": self.context,
            "require_starttls": True,
            "auth_required": True,
            "auth_require_tls": True,
            "authenticator": self._knows,
            "data_size_limit": 1_000_000,
        }
        details = usual | details
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **details)
        self.controller.start()
        return self

    def stops(self):
        if self.controller:
            self.controller.stop(no_assert=True)
            self.controller = None

    # What the SMTP library calls.

    def _knows(self, server, session, envelope, mechanism, login):
        known = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
        self.logins.append((mechanism, known))
        return AuthResult(success=known, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.says_of_recipients.pop(0) if self.says_of_recipients else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        attempt = Attempt(
            envelope.mail_from, tuple(envelope.rcpt_tos), envelope.original_content, session.ssl is not None
        )
        with self.lock:
            self.attempts.append(attempt)
            answer = self.says.pop(0) if self.says else "250 2.0.0 taken"
        await asyncio.sleep(self.thinks_for)
        with self.lock:
            if answer.startswith("250"):
                self.taken.append(attempt)
        return answer
