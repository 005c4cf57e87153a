"""Alerts as e-mail.

Belongs here: the message and the talk with the mail server. Not here: the words
(`core.alerts.alert`).
"""

import hashlib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.utils import format_datetime
from typing import cast

from usage_platform.adapters.alert_sinks.deadline import Deadline, deadline
from usage_platform.core.alerts.addresses import Server
from usage_platform.core.alerts.alert import Alert, DeliveryError

_TIMEOUT_SECONDS = 8.0
TOTAL_SECONDS = 20.0
"""For all of the talk, however slowly the server answers."""

_LASTING_CODES = range(500, 600)


@dataclass(frozen=True)
class MailPage:
    """A mail with a picture.

    Attributes:
        key: The same page always has the same key.
        title: The subject.
        text: For programs that show no HTML.
        html: For others; it shows the picture as `cid:<png_id>`.
        png: The picture.
        png_id: Its Content-ID.
    """

    key: str
    title: str
    text: str
    html: str
    png: bytes
    png_id: str


@dataclass(frozen=True)
class MailSink:
    """Some mailboxes.

    Attributes:
        server: The mail server.
        sender: The address that it comes from.
        receivers: The addresses that it goes to.
    """

    server: Server
    sender: str
    receivers: tuple[str, ...]
    name: str = "email"

    def deliver(self, alert: Alert, now: datetime) -> None:
        """Send an alert; the same alert always has the same Message-ID.

        Raises:
            DeliveryError: When the server did not take it for all of the mailboxes.
        """
        message = self._message(alert.key, alert.title, now)
        message.set_content(f"{alert.text}\n\n{alert.key}\n")
        self._send(message)

    def deliver_page(self, page: MailPage, now: datetime) -> None:
        """Send a page with a picture; the same page always has the same Message-ID.

        Raises:
            DeliveryError: When the server did not take it for all of the mailboxes.
        """
        message = self._message(page.key, page.title, now)
        message.set_content(f"{page.text}\n\n{page.key}\n")
        message.add_alternative(page.html, subtype="html")
        html = cast("MIMEPart", message.get_body(("html",)))
        cid = f"<{page.png_id}>"
        html.add_related(page.png, "image", "png", cid=cid, disposition="inline")
        self._send(message)

    def _message(self, key: str, title: str, now: datetime) -> EmailMessage:
        message = EmailMessage()
        # The name of a meter that looks like an encoded word would be decoded, line breaks and all:
        # into headers and a body of the sender's own (python/cpython#122599).
        # A line break would be refused here (ValueError), at each try.
        line = "".join(one if one.isprintable() else " " for one in title)
        message["Subject"] = line.replace("=?", "= ?")
        message["From"] = self.sender
        message["To"] = ", ".join(self.receivers)
        message["Date"] = format_datetime(now)
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{digest}@usage-platform>"
        # No holiday notes in answer to a machine.
        message["Auto-Submitted"] = "auto-generated"
        return message

    def _send(self, message: EmailMessage) -> None:
        with (
            deadline(TOTAL_SECONDS) as limit,
            _told(),
            _signed_in(self.server, limit) as client,
        ):
            refused = client.send_message(message)
        if refused:
            raise DeliveryError(f"refused for {', '.join(sorted(refused))}", lasting=True)


class _Client(smtplib.SMTP):
    """A client whose connection ends at a deadline; with TLS from the first byte if wanted."""

    def __init__(self, server: Server, limit: Deadline, tls: ssl.SSLContext | None) -> None:
        self._limit, self._tls = limit, tls
        super().__init__(server.host, server.port, timeout=_TIMEOUT_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), timeout, self.source_address)
        self._limit.watch(connection)
        if self._tls is None:
            return connection
        return self._tls.wrap_socket(connection, server_hostname=host)


@contextmanager
def _signed_in(server: Server, limit: Deadline) -> Iterator[smtplib.SMTP]:
    """A talk with the server, encrypted wherever it can be.

    Raises:
        DeliveryError: When a password would go over the line in the clear.
    """
    trusted = ssl.create_default_context()
    client = _Client(server, limit, trusted if server.tls else None)
    with client:
        client.ehlo()
        if not server.tls and client.has_extn("starttls"):
            client.starttls(context=trusted)
            client.ehlo()
        elif not server.tls and server.user:
            raise DeliveryError(
                "offers no STARTTLS, and the password is not sent in the clear; use smtps://",
                lasting=True,
            )
        if server.user:
            client.login(server.user, server.password)
        yield client


@contextmanager
def _told() -> Iterator[None]:
    """Tell what went wrong by its code: a server's words may repeat what it was sent.

    Raises:
        DeliveryError: In place of what smtplib and sockets raise.
    """
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError(f"refuses the password ({error.smtp_code})", lasting=True) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        lasting = all(code in _LASTING_CODES for code in codes)
        raise DeliveryError(f"refuses every mailbox ({codes[0]})", lasting) from None
    except smtplib.SMTPResponseException as error:
        lasting = error.smtp_code in _LASTING_CODES
        raise DeliveryError(f"answered {error.smtp_code}", lasting) from None
    except smtplib.SMTPException as error:
        raise DeliveryError(f"broke off ({type(error).__name__})") from None
    except ssl.SSLError:
        raise DeliveryError("its certificate is not trusted here, or it speaks no TLS") from None
    except TimeoutError:
        raise DeliveryError(f"no answer within {_TIMEOUT_SECONDS:.0f} s") from None
    except OSError:
        raise DeliveryError("cannot be reached") from None
