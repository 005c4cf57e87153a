"""Where alerts go to, as the settings write it: addresses of the web, of mail, of MQTT and SNS.

Belongs here: reading and checking addresses. What is raised never holds the address itself: many
are secrets. Not here: sending to them (`adapters.alert_sinks`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

LEAST_SECRET = 16
"""Characters of a secret that is worth the name."""

_MAIL = re.compile(r"[^\s@,<>\"]+@[^\s@,<>\"]+")
_TOPIC = re.compile(r"arn:aws[\w-]*:sns:([a-z0-9-]+):\d{12}:[\w-]{1,256}(\.fifo)?")
_ADDRESS_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_MAIL_PORTS = {"smtp": 587, "smtps": 465}
_MQTT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LONGEST_MQTT_TOPIC = 65_535
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Server:
    """A mail server, or a broker of MQTT.

    Attributes:
        host: Its name.
        port: Its port; that of its kind, unless one is given.
        tls: Encrypted from the first byte; mail may be by STARTTLS otherwise.
        user: Empty to send without signing in.
        password: Kept out of `repr`.
    """

    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)


def check_web_address(text: str) -> None:
    """Check the address of a webhook.

    Raises:
        ValueError: When it is none.
    """
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not text.isascii() or re.search(r"\s", text):
        raise ValueError("expected an address such as https://host/path")


def named_addresses(text: str) -> dict[str, str]:
    """Read addresses of webhooks by name: `name=https://host/path`, several with blanks.

    Raises:
        ValueError: When one of them is none, without repeating it.
    """
    found: dict[str, str] = {}
    for part in text.split():
        name, _, address = part.partition("=")
        if not _ADDRESS_NAME.fullmatch(name) or name in found:
            raise ValueError("expected name=https://host/path, several with blanks, each name once")
        check_web_address(address)
        found[name] = address
    return found


def check_secret(text: str) -> None:
    """Check a secret for signatures.

    Raises:
        ValueError: When it is short enough to be guessed.
    """
    if len(text) < LEAST_SECRET:
        raise ValueError(f"expected at least {LEAST_SECRET} characters, drawn at random")


def smtp_server(text: str) -> Server:
    """Read a mail server's address: smtp[s]://[user:password@]host[:port].

    The port is 587, or 465 for smtps, unless one is given.

    Raises:
        ValueError: When it is none.
    """
    return _server(text, _MAIL_PORTS, "smtp://user:password@host:587 or smtps://...")


def mqtt_server(text: str) -> Server:
    """Read the address of a broker of MQTT: mqtt[s]://[user:password@]host[:port].

    The port is 1883, or 8883 for mqtts, unless one is given.

    Raises:
        ValueError: When it is none, or a password would leave the machine unencrypted.
    """
    found = _server(text, _MQTT_PORTS, "mqtts://user:password@host:8883 or mqtt://host:1883")
    if found.password and not found.tls and found.host not in _THIS_MACHINE:
        raise ValueError("expected mqtts://...: a password is not sent in the clear")
    return found


def _server(text: str, ports: Mapping[str, int], form: str) -> Server:
    expected = ValueError(f"expected {form}; write @ : / in a password as %40 %3A %2F")
    try:
        parts = urlsplit(text)
        port = parts.port or ports[parts.scheme]
    except (ValueError, KeyError):
        raise expected from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not parts.hostname or parts.path.strip("/") or bool(user) != bool(password):
        raise expected
    return Server(parts.hostname, port, parts.scheme.endswith("s"), user, password)


def check_mqtt_topic(text: str) -> None:
    """Check the name of a topic of MQTT to publish on.

    Raises:
        ValueError: When it is none.
    """
    fits = text.isprintable() and 0 < len(text.encode()) <= _LONGEST_MQTT_TOPIC
    if not fits or text.startswith("$") or "+" in text or "#" in text:
        raise ValueError("expected a topic such as usage/alerts, without + and # and no $ in front")


def mail_addresses(text: str) -> tuple[str, ...]:
    """Read mail addresses, several with commas.

    Raises:
        ValueError: When one of them is none.
    """
    found = tuple(part.strip() for part in text.split(",")) if text else ()
    for one in found:
        if not _MAIL.fullmatch(one):
            raise ValueError(f"expected mail addresses, several with commas; got {one!r}")
    return found


def topic_region(arn: str) -> str:
    """The AWS region of an SNS topic.

    Raises:
        ValueError: When it is no topic's ARN.
    """
    found = _TOPIC.fullmatch(arn)
    if not found:
        raise ValueError("expected an ARN such as arn:aws:sns:us-east-1:123456789012:alerts")
    return found[1]
