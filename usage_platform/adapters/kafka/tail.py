"""Follows topics from now on, in a background thread, through any outage of the brokers.

Belongs here: consuming without a group, and resuming once brokers answer again. Not here: the
content of the messages, and who gets them (`web.live`).
"""

import logging
import threading
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from usage_platform.adapters.kafka.consuming import consume
from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    KafkaSettings,
    KafkaUnreachableError,
    offset_ranges,
    partitions_of,
)

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.25
_AGAIN_SECONDS = 2.0
_MOST_AT_ONCE = 2000

OnMessages = Callable[[list[Message]], None]
OnState = Callable[[str], None]


class TopicTail:
    """Follows some topics.

    Args:
        kafka: Gives the brokers; called again at each new try, because a platform may come back
            with other ones.
        topics: Their names; the tail waits for a missing one.
        recent: Number of the last messages of each partition to begin with.
        on_messages: Called with committed messages, in their order by partition; those for which it
            raises an error do not come again.
        on_state: Called with an error text, or "" when messages flow (again).
    """

    def __init__(
        self,
        kafka: Callable[[], KafkaSettings],
        topics: Sequence[str],
        recent: int,
        on_messages: OnMessages,
        on_state: OnState,
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._recent = recent
        self._on_messages = on_messages
        self._on_state = on_state
        self._next: dict[tuple[str, int], int] = {}
        self._stop = threading.Event()
        self._is_down = threading.Event()
        self._thread = threading.Thread(target=self._run, name="topic-tail", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; returns once it has ended."""
        self._stop.set()
        self._thread.join(2 * ANSWER_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow(self._kafka())
            except KafkaUnreachableError as error:
                self._on_state(str(error))
            except KafkaException as error:
                self._on_state(kafka_error_line(error))
            # Else the thread would end, and nobody would hear anything more, nor why.
            except Exception as error:
                _LOG.exception("messages cannot be followed")
                self._on_state(f"messages cannot be shown ({type(error).__name__}): see the log")
            self._stop.wait(_AGAIN_SECONDS)

    def _follow(self, kafka: KafkaSettings) -> None:
        self._is_down.clear()
        client = Consumer(
            kafka.client(
                **{
                    "group.id": "usage-platform-page",
                    "enable.auto.commit": False,
                    "isolation.level": "read_committed",
                    "auto.offset.reset": "earliest",
                    "socket.connection.setup.timeout.ms": 3000,
                }
            )
            | {"error_cb": self._on_error}
        )
        try:
            starts = self._starts(client, kafka)
            if len({start.topic for start in starts}) < len(self._topics):
                raise KafkaUnreachableError(
                    f"Kafka at {kafka.bootstrap} does not have the topics yet: start the platform "
                    "with 'usage-platform up'"
                )
            client.assign(starts)
            self._on_state("")
            while not self._stop.is_set() and not self._is_down.is_set():
                self._take(consume(client, _MOST_AT_ONCE, _POLL_SECONDS, linger=_POLL_SECONDS))
            if not self._stop.is_set():
                raise KafkaUnreachableError(f"Kafka at {kafka.bootstrap} does not answer")
        finally:
            client.close()

    def _starts(self, client: Consumer, kafka: KafkaSettings) -> list[TopicPartition]:
        """Where to begin, or to resume, in each partition of the topics that exist."""
        starts = []
        for topic in self._topics:
            ranges = offset_ranges(client, partitions_of(client, kafka, topic))
            for partition, (first, end) in ranges.items():
                known = self._next.get((topic, partition))
                # Beyond the end: the topic was deleted and created again.
                if known is None or not first <= known <= end:
                    known = max(first, end - self._recent)
                starts.append(TopicPartition(topic, partition, known))
        return starts

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            place = message.topic() or "", message.partition() or 0
            self._next[place] = (message.offset() or 0) + 1
        if messages:
            self._on_messages(messages)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._is_down.set()
