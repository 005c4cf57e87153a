"""What a topic of this platform's own says, from some time on, as it comes.

Belongs here: reading without a group, for somebody who looks on. Not here: what is shown of it
(`console`), following several topics in the background (`topic_tail`).
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

from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.topics import (
    KafkaSettings,
    KafkaUnreachableError,
    partitions_of,
)

BEGINNING = datetime.fromtimestamp(0, UTC)
"""Before everything that is on a topic."""

_POLL_SECONDS = 0.5
_AGAIN_SECONDS = 1.0
_TIMEOUT = 10.0
_MOST_AT_ONCE = 500

Told = Callable[[str], None]


def values_since(
    kafka: KafkaSettings, topic: str, since: datetime | None, follow: bool, told: Told
) -> Iterator[list[bytes]]:
    """The values on a topic, in their order by partition.

    Args:
        kafka: The brokers.
        topic: Its name.
        since: With what the brokers got at this time to begin, a time with a zone; None to begin
            with what is new.
        follow: Go on waiting for new ones; else end at the end of the topic.
        told: Called with what is wrong, or "" when values come again.

    Yields:
        What came within half a second, which may be nothing.

    Raises:
        KafkaUnreachableError: When no broker answers at the start, or while not following.
    """
    is_down = threading.Event()

    def on_error(error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            is_down.set()

    with committed_reader(kafka, "usage-platform-watch", on_error) as client:
        places = _places(client, kafka, topic, since)
        if follow and not places:
            told(f"there is no topic {topic} yet")
        while follow and not places:
            # The platform makes its topics once it is up; all that they hold is then new.
            yield []
            time.sleep(_AGAIN_SECONDS)
            places = _places(client, kafka, topic, BEGINNING)
        said = ""
        told(said)
        client.assign(places)
        ended: set[int] = set()
        while follow or len(ended) < len(places):
            yield _come(client, ended)
            wrong = _what_is_wrong(client, kafka) if is_down.is_set() else ""
            if wrong and not follow:
                raise KafkaUnreachableError(wrong)
            if wrong != said:
                said = wrong
                told(said)
            if not wrong:
                is_down.clear()


def _places(
    client: Consumer, kafka: KafkaSettings, topic: str, since: datetime | None
) -> list[TopicPartition]:
    """Where to begin in each partition; none where there is no such topic."""
    found = partitions_of(client, kafka, topic)
    if since is None or since <= BEGINNING:
        offset = OFFSET_END if since is None else OFFSET_BEGINNING
        return [TopicPartition(topic, place.partition, offset) for place in found]
    at = int(since.timestamp() * 1000)
    asked = [TopicPartition(topic, place.partition, at) for place in found]
    return client.offsets_for_times(asked, timeout=_TIMEOUT)


def _come(client: Consumer, ended: set[int]) -> list[bytes]:
    """What has come; partitions that are read to their end are added to those that have."""
    values = []
    for message in client.consume(_MOST_AT_ONCE, timeout=_POLL_SECONDS):
        error = message.error()
        if error is None:
            values.append(message.value() or b"")
        elif error.code() == KafkaError._PARTITION_EOF:
            ended.add(message.partition() or 0)
    return values


def _what_is_wrong(client: Consumer, kafka: KafkaSettings) -> str:
    """In words, or "" if a broker answers again: the client goes on by itself then."""
    try:
        client.list_topics(timeout=_AGAIN_SECONDS)
    except KafkaException:
        return f"Kafka at {kafka.bootstrap} does not answer"
    return ""
