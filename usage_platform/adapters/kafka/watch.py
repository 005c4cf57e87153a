"""Reads the values of one topic from a time on, as they arrive.

Belongs here: reading without a group, for a viewer. Not here: showing them (`console`), following
several topics in the background (`tail`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from usage_platform.adapters.kafka.consuming import consume
from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.topics import (
    KafkaSettings,
    KafkaUnreachableError,
    partitions_of,
    positions_at,
)

BEGINNING = datetime.fromtimestamp(0, UTC)
"""Before every message of a topic."""

_POLL_SECONDS = 0.5
_AGAIN_SECONDS = 1.0
_MOST_AT_ONCE = 500

OnState = Callable[[str], None]


def values_since(
    kafka: KafkaSettings, topic: str, since: datetime | None, follow: bool, on_state: OnState
) -> Iterator[list[bytes]]:
    """The values on a topic, in their order by partition.

    Args:
        kafka: The brokers.
        topic: Its name.
        since: Begin with what the brokers received at this time, a time with a zone; None to begin
            with new values.
        follow: Wait for new values; else stop at the end of the topic.
        on_state: Called with an error text, or "" when values arrive again.

    Yields:
        The first values within half a second, with those of the half second after; maybe none.

    Raises:
        KafkaUnreachableError: When no broker answers at the start, or while not following.
    """
    is_down = threading.Event()

    def on_error(error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            is_down.set()

    with committed_reader(kafka, "usage-platform-watch", on_error) as client:
        starts = _starts(client, kafka, topic, since)
        if follow and not starts:
            on_state(f"the topic {topic} does not exist yet")
        while follow and not starts:
            # The platform creates its topics once it is up; all that they hold is then new.
            yield []
            time.sleep(_AGAIN_SECONDS)
            starts = _starts(client, kafka, topic, BEGINNING)
        state = ""
        on_state(state)
        client.assign(starts)
        ended: set[int] = set()
        while follow or len(ended) < len(starts):
            yield _arrived(client, ended)
            wrong = _error(client, kafka) if is_down.is_set() else ""
            if wrong and not follow:
                raise KafkaUnreachableError(wrong)
            if wrong != state:
                state = wrong
                on_state(state)
            if not wrong:
                is_down.clear()


def _starts(
    client: Consumer, kafka: KafkaSettings, topic: str, since: datetime | None
) -> list[TopicPartition]:
    """Where to begin in each partition; none where the topic does not exist."""
    partitions = partitions_of(client, kafka, topic)
    if since is None or since <= BEGINNING:
        offset = OFFSET_END if since is None else OFFSET_BEGINNING
        return [TopicPartition(topic, p.partition, offset) for p in partitions]
    return positions_at(client, partitions, int(since.timestamp() * 1000))


def _arrived(client: Consumer, ended: set[int]) -> list[bytes]:
    """The values that have arrived; partitions read to their end are added to `ended`."""
    values = []
    for message in consume(client, _MOST_AT_ONCE, _POLL_SECONDS, linger=_POLL_SECONDS):
        if message.error() is None:
            values.append(message.value() or b"")
        else:
            ended.add(message.partition() or 0)
    return values


def _error(client: Consumer, kafka: KafkaSettings) -> str:
    """An error text, or "" if a broker answers again: the client then resumes by itself."""
    try:
        client.list_topics(timeout=_AGAIN_SECONDS)
    except KafkaException:
        return f"Kafka at {kafka.bootstrap} does not answer"
    return ""
