"""Messages of the topic `samples`: the time at which the collector got them, as a header.

Belongs here: writing and reading the header. Not here: what a sample says (`core.samples`), the
clients (`services`).
"""

from collections.abc import Sequence
from typing import cast

from confluent_kafka import Message

from usage_platform.core.samples.parsing import SampleMessage

_COLLECTED = "collected_ms"
_LONGEST = 15

Headers = list[tuple[str, str | bytes | None]]


def collected_header(at: float) -> Headers:
    """The headers of a sample that the collector got at a time, seconds since 1970 UTC."""
    return [(_COLLECTED, str(int(at * 1000)).encode())]


def sample_message(message: Message) -> SampleMessage:
    """A message as `core.samples` reads it."""
    return SampleMessage(
        message.key(), message.value(), message.timestamp()[1], _collected(message.headers())
    )


def _collected(headers: object) -> int | None:
    found = cast("Sequence[tuple[str, bytes | None]]", headers or ())
    text = next((value for name, value in found if name == _COLLECTED), None) or b""
    return int(text) if text.isdigit() and len(text) <= _LONGEST else None
