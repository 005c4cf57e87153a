"""Each kind of message that once could stop a platform, or is made to.

Belongs here: the messages. Not here: sending them and looking at what comes after them
(`good_readings`); random ones (`tools.fuzz`).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from usage_platform.adapters.kafka.topics import ANOMALY, DEAD_LETTERS, EPISODE, USAGE
from usage_platform_tests.stray_messages import ANOMALY as ANOMALY_MESSAGE
from usage_platform_tests.stray_messages import STRAY

ALL_TOPICS = (USAGE, ANOMALY, EPISODE, DEAD_LETTERS)
_MEBIBYTE = 2**20
_BOMB_BYTES = 200_000_000
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARKUP = (
    "<img src=x onerror=alert(1)>",
    "=?utf-8?q?Subject=3A_forged=0ABcc=3A_x=40evil=2Eexample?=",
    "$\\frac{1}{0}$",
    "=HYPERLINK(1)",
    "../../../etc/passwd",
    "meter=%2e%2e/day=2024-01-01",
    "'; DROP TABLE readings; --",
    "\u202eevil",
    "\u0661\u0662",
    "x" * 200,
    "x" * 201,
    "\x1b[2J",
    "a\nb",
)

Value = bytes | None


@dataclass(frozen=True)
class Kind:
    """One kind of message.

    Attributes:
        name: As docs/security.md names it.
        of_topic: The values for a topic.
        topics: Where they are sent.
        codec: How the producer compresses them.
        batch_bytes: Bytes, before they are compressed, that the producer puts into one batch.
    """

    name: str
    of_topic: Callable[[str], Iterable[Value]]
    topics: Sequence[str] = ALL_TOPICS
    codec: str = "none"
    batch_bytes: int = 1_000_000


def _event(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _told(**fields: object) -> bytes:
    """A message of `anomaly` in which some fields are others."""
    return json.dumps({**ANOMALY_MESSAGE, **fields}).encode()


def _stray(topic: str) -> Iterable[Value]:
    del topic
    return STRAY


def _bomb(topic: str) -> Iterable[Value]:
    """A few kilobytes on the wire."""
    del topic
    return [b"x" * _BOMB_BYTES]


def _bombs_in_a_batch(topic: str) -> Iterable[Value]:
    del topic
    return [b"[" * 900_000 for _ in range(100)]


def _largest(topic: str) -> Iterable[Value]:
    """As large as the broker takes, and a little more."""
    del topic
    return [b"{" * size for size in (999_999, 1_000_100, _MEBIBYTE - 600, _MEBIBYTE)]


def _many_large(topic: str) -> Iterable[Value]:
    del topic
    return [b"not json " + bytes([65 + number % 26]) * 100_000 for number in range(300)]


def _long_ago(topic: str) -> Iterable[Value]:
    days = [_UNIX_EPOCH + timedelta(days=37 * number) for number in range(500)]
    if topic == USAGE:
        return [_event(meter="x0", ts=day.isoformat(), value=1) for day in days]
    return [_told(ts=day.isoformat(), anomaly_id=f"{at:016x}") for at, day in enumerate(days)]


def _many_names(topic: str) -> Iterable[Value]:
    at = "2024-01-01T00:00:00Z"
    if topic == USAGE:
        return [_event(meter=f"name {number}", ts=at, value=1) for number in range(3000)]
    # Of a meter that has none of them.
    return [_told(meter=f"name {number}", anomaly_id=f"{number:x}") for number in range(500)]


def _markup(topic: str) -> Iterable[Value]:
    if topic == USAGE:
        return [
            _event(meter=name, ts=f"2024-01-{day:02}T00:00:00Z", value=1)
            for name in _MARKUP
            for day in (1, 2)
        ]
    return [_told(meter=name, explanation=name) for name in _MARKUP]


def _future(topic: str) -> Iterable[Value]:
    times = ("2099-01-01T00:00:00Z", "9999-12-31T23:00:00Z", "292277026596-12-04T15:30:08Z")
    if topic == USAGE:
        return [_event(ts=time, value=1) for time in (*times, 4e9, 1e300, 10**400)]
    return [_told(ts=time) for time in times]


def _numbers(topic: str) -> Iterable[Value]:
    odd = ("1e999", "NaN", "-Infinity", "-0.0", "1" + "0" * 400, "1e-999", "99999999.9")
    if topic == USAGE:
        start = '{"ts":"2024-01-03T00:00:00Z","value":'
        return [f"{start}{number}}}".encode() for number in odd]
    text = json.dumps({**ANOMALY_MESSAGE, "usage": 0})
    return [text.replace('"usage": 0', f'"usage": {number}').encode() for number in odd]


KINDS = (
    Kind("text that is no message", _stray),
    Kind("a message of 200 MB, compressed", _bomb, codec="zstd"),
    Kind("a batch of 90 MB, compressed", _bombs_in_a_batch, codec="gzip", batch_bytes=100_000_000),
    Kind("messages as large as the broker takes", _largest),
    Kind("many large messages", _many_large),
    Kind("readings of long ago", _long_ago),
    Kind("names without end", _many_names),
    Kind("names that are markup", _markup),
    Kind("readings of the future", _future),
    Kind("numbers beyond a float's", _numbers),
)
