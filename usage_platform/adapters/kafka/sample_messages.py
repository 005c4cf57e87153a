"""Messages of the topic `samples`: the time at which the collector got them, as a header.

Belongs here: writing and reading the header. Not here: what a sample says (`core.samples`), the
clients (`services`).
"""

from collections.abc import Sequence

from confluent_kafka import Message

from usage_platform.adapters.kafka.message_headers import readable_headers
from usage_platform.adapters.kafka.producing import Headers
from usage_platform.core.samples.parsing import SampleMessage
from usage_platform.core.time.broker_time import broker_milliseconds

_COLLECTED = "collected_ms"
_LONGEST = 15


def collected_header(at: float) -> Headers:
    """The headers of a sample that the collector got at a time, seconds since 1970 UTC."""
    return [(_COLLECTED, str(int(at * 1000)).encode())]


def sample_message(message: Message) -> SampleMessage:
    """A message as `core.samples` reads it."""
    return SampleMessage(
        message.key(),
        message.value(),
        broker_milliseconds(message.timestamp()[1]),
        _collected(readable_headers(message)),
    )


def _collected(headers: Sequence[tuple[str, bytes | None]]) -> int | None:
    text = next((value for name, value in headers if name == _COLLECTED), None) or b""
    return int(text) if text.isdigit() and len(text) <= _LONGEST else None
