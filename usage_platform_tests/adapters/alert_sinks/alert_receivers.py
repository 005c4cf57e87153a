"""Local servers that take alerts, as real as they are away from home, and refuse when told to.

Belongs here: a web server and a mail server that keep what they get. Not here: the tests.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class WebReceiver:
    """What was posted, and which statuses the next posts get (200 for all others)."""

    url: str = ""
    posts: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def web_receiver() -> Iterator[WebReceiver]:
    """A web server on this machine."""
    receiver = WebReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posts.append((dict(self.headers), body))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format, *args):  # noqa: A002 - its name in the base class
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hooks/token"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield receiver
        server.shutdown()
        thread.join()


@dataclass
class MailReceiver:
    """What was mailed, and what the server does not like."""

    port: int
    mails: list[tuple[list[str], bytes]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    answer: str = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's names
        if self.answer.startswith("250"):
            self.mails.append((envelope.rcpt_tos, envelope.content))
        return self.answer


@contextmanager
def mail_receiver(port: int, tls=None, password: str = "") -> Iterator[MailReceiver]:
    """A mail server on this machine; with a password it wants one, after STARTTLS."""
    receiver = MailReceiver(port)

    def knows(server, session, envelope, mechanism, given):
        return AuthResult(success=given.password == password.encode(), handled=False)

    controller = Controller(
        receiver,
        hostname="127.0.0.1",
        port=port,
        tls_context=tls,
        authenticator=knows if password else None,
        auth_required=bool(password),
        auth_require_tls=bool(password),
    )
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
