"""One playback a topic: held by Kafka itself, as the one partition of a topic of its own.

Belongs here: who may play onto the topic `usage`, whatever machine or Dagster it runs on. Not here:
playing (`playback`).

`usage_playback_lease` has one partition and no message. Whoever has it assigned in the consumer
group of the same name holds the lease: the group's coordinator gives a partition to one member at a
time. A holder that dies, or is silent for `SESSION_SECONDS`, is put out of the group, and the next
one gets the partition. With the cooperative-sticky assignor a newcomer never moves it.
"""

import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from usage_platform.adapters.kafka.topics import KafkaSettings, administration, ensure_topics

LEASE_TOPIC = "usage_playback_lease"
SESSION_SECONDS = 10.0
WAIT_SECONDS = 15.0
# Of a broker that has just started: it makes the topic that groups are kept in first.
_LONGEST_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.2
# After a silence as long as this its heartbeats, one each two seconds, may have been missed.
_SILENT_SECONDS = SESSION_SECONDS - 3.0
_ANSWER_SECONDS = 10.0


class PlaybackLeaseError(RuntimeError):
    """Another playback has the lease, or this one lost it; one line that says what to do."""


class PlaybackLease:
    """The right to play onto the topic `usage`; a context manager.

    Args:
        kafka: The brokers.
        holder: Who asks, for others to read, such as host:folder.
        wait: Seconds to wait for one who died without giving it back.
    """

    def __init__(self, kafka: KafkaSettings, holder: str, wait: float = WAIT_SECONDS) -> None:
        self._kafka = kafka
        self._holder = holder
        self._wait = wait
        self._has_it = threading.Event()
        self._is_lost = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="playback-lease", daemon=True)
        self._client: Consumer | None = None
        self._polled = time.monotonic()

    def __enter__(self) -> Self:
        """Take it, waiting a while for one that died.

        Raises:
            PlaybackLeaseError: When another playback has it.
            KafkaUnreachableError: When no broker answers.
        """
        ensure_topics(replace(self._kafka, partitions=1), (LEASE_TOPIC,))
        self._client = Consumer(
            self._kafka.client(
                **{
                    "group.id": LEASE_TOPIC,
                    "client.id": self._holder,
                    "enable.auto.commit": False,
                    "partition.assignment.strategy": "cooperative-sticky",
                    "session.timeout.ms": int(SESSION_SECONDS * 1000),
                    "heartbeat.interval.ms": 2000,
                    # A topic that was made just now is not known everywhere yet.
                    "topic.metadata.refresh.interval.ms": 2000,
                }
            )
        )
        self._client.subscribe(
            [LEASE_TOPIC], on_assign=self._given, on_revoke=self._taken, on_lost=self._taken
        )
        self._polled = time.monotonic()
        self._thread.start()
        try:
            self._wait_for_it()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back: the next one has it at once."""
        self._close()

    def check(self) -> None:
        """Make sure that it is still held.

        Raises:
            PlaybackLeaseError: When it was lost: this process or the broker was away for too long.
        """
        if self._is_lost.is_set() or self._was_silent():
            raise PlaybackLeaseError(
                f"playback onto {self._kafka.bootstrap} lost its lease, as it or the broker was "
                f"silent for {SESSION_SECONDS:.0f} s: another one may play now; start it again, it "
                "goes on after what is on the topic"
            )

    def _wait_for_it(self) -> None:
        began = time.monotonic()
        waits_until = began + self._wait
        while not self._has_it.wait(max(waits_until - time.monotonic(), _POLL_SECONDS)):
            holder = self._other_holder()
            if holder is not None:
                raise PlaybackLeaseError(
                    f"a playback onto {self._kafka.bootstrap} runs already, started by {holder}: "
                    "let it end or stop it first; two would put each reading there twice"
                )
            if time.monotonic() - began > max(_LONGEST_WAIT_SECONDS, self._wait):
                raise PlaybackLeaseError(
                    f"Kafka at {self._kafka.bootstrap} gives nobody the partition of {LEASE_TOPIC}:"
                    " look at the broker's log for the coordinator of this consumer group"
                )

    def _other_holder(self) -> str | None:
        """The group's member that has the partition now, by its client id."""
        with administration(self._kafka) as admin:
            asked = admin.describe_consumer_groups([LEASE_TOPIC], request_timeout=_ANSWER_SECONDS)
            try:
                members = asked[LEASE_TOPIC].result().members
            except KafkaException:  # The group's coordinator moves or starts; asked again.
                return None
        with_it = (member for member in members if member.assignment.topic_partitions)
        found = next(with_it, None)
        return None if found is None or self._has_it.is_set() else found.client_id

    def _poll(self) -> None:
        assert self._client is not None  # noqa: S101 - made before the thread starts
        while not self._stop.is_set():
            # Its messages are errors on brokers that are away, which the client deals with; what
            # counts comes to the callbacks.
            self._client.poll(_POLL_SECONDS)
            # Of this process stopped by the system or asleep: the client learns only later that the
            # group has gone on without it.
            if self._has_it.is_set() and self._was_silent():
                self._is_lost.set()
            self._polled = time.monotonic()

    def _was_silent(self) -> bool:
        return time.monotonic() - self._polled > _SILENT_SECONDS

    def _given(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        del client
        if partitions:
            self._has_it.set()

    def _taken(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        del client
        if partitions and not self._stop.is_set():
            self._is_lost.set()

    def _close(self) -> None:
        self._stop.set()
        self._thread.join()
        if self._client is not None:
            self._client.close()
