"""The headers of messages, whatever a producer wrote into them."""

from collections.abc import Sequence
from typing import cast

from confluent_kafka import Message


def readable_headers(message: Message) -> Sequence[tuple[str, bytes | None]]:
    """Names and values; none where a name is not UTF-8."""
    return _headers(message) or ()


def has_readable_headers(message: Message) -> bool:
    """Whether the names of all headers are UTF-8; so it is without any."""
    return _headers(message) is not None


def _headers(message: Message) -> Sequence[tuple[str, bytes | None]] | None:
    """The headers; None where the client fails on them, which it does each time it is asked."""
    try:
        found = message.headers()
    except (SystemError, UnicodeDecodeError):
        return None
    return cast("Sequence[tuple[str, bytes | None]]", found or ())
