"""The headers of messages, whatever a producer wrote into them."""

from collections.abc import Sequence
from typing import cast

from confluent_kafka import Message


def readable_headers(message: Message) -> Sequence[tuple[str, bytes | None]]:
    """Names and values; none where a name is not UTF-8.

    The client fails on such a name (SystemError), each time that it is asked.
    """
    try:
        found = message.headers()
    except (SystemError, UnicodeDecodeError):
        return ()
    return cast("Sequence[tuple[str, bytes | None]]", found or ())
