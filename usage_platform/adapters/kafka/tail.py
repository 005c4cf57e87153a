"""Following topics from now on, in a thread of its own, through any outage of the brokers.

Belongs here: consuming without a group, and going on where it stopped once brokers answer again.
Not here: what the messages say, and who is told (`web.live`).
"""

import threading
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from usage_platform.adapters.kafka.topics import (
    KafkaSettings,
    KafkaUnreachableError,
    partitions_of,
)

_POLL_SECONDS = 0.25
_AGAIN_SECONDS = 2.0
_MOST_AT_ONCE = 2000
_TIMEOUT = 10.0

Heard = Callable[[list[Message]], None]
Told = Callable[[str], None]


class TopicTail:
    """Follows some topics.

    Args:
        kafka: Gives the brokers; asked again at each new try, as a platform may come back with
            others.
        topics: Their names; one that is missing is waited for.
        recent: With how many of the last messages of each partition to begin.
        heard: Called with committed messages, in their order by partition.
        told: Called with what is wrong, or "" when messages flow (again).
    """

    def __init__(
        self,
        kafka: Callable[[], KafkaSettings],
        topics: Sequence[str],
        recent: int,
        heard: Heard,
        told: Told,
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._recent = recent
        self._heard = heard
        self._told = told
        self._next: dict[tuple[str, int], int] = {}
        self._stop = threading.Event()
        self._is_down = threading.Event()
        self._thread = threading.Thread(target=self._run, name="topic-tail", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns once the thread has."""
        self._stop.set()
        self._thread.join(2 * _TIMEOUT)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow(self._kafka())
            except KafkaUnreachableError as error:
                self._told(str(error))
            except KafkaException as error:
                self._told(f"Kafka: {error.args[0].str()}")
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
            places = self._places(client, kafka)
            if len({place.topic for place in places}) < len(self._topics):
                raise KafkaUnreachableError(
                    f"Kafka at {kafka.bootstrap} lacks topics yet: start the platform with "
                    "'usage-platform up'"
                )
            client.assign(places)
            self._told("")
            while not self._stop.is_set() and not self._is_down.is_set():
                self._take(client.consume(_MOST_AT_ONCE, timeout=_POLL_SECONDS))
            if not self._stop.is_set():
                raise KafkaUnreachableError(f"Kafka at {kafka.bootstrap} does not answer")
        finally:
            client.close()

    def _places(self, client: Consumer, kafka: KafkaSettings) -> list[TopicPartition]:
        """Where to begin, or to go on, in each partition of the topics that are there."""
        found = []
        for topic in self._topics:
            for place in partitions_of(client, kafka, topic):
                first, end = client.get_watermark_offsets(place, timeout=_TIMEOUT)
                known = self._next.get((topic, place.partition))
                # Beyond the end: the topic was made anew.
                if known is None or not first <= known <= end:
                    known = max(first, end - self._recent)
                place.offset = known
                found.append(place)
        return found

    def _take(self, messages: list[Message]) -> None:
        good = []
        for message in messages:
            error = message.error()
            if error is None:
                self._next[message.topic() or "", message.partition() or 0] = (
                    message.offset() or 0
                ) + 1
                good.append(message)
            elif not error.retriable():
                raise KafkaException(error)
        if good:
            self._heard(good)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._is_down.set()
