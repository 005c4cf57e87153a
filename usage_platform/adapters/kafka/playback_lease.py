"""The lease on playback: Kafka itself lets one process at a time publish to `usage`.

Belongs here: who may publish readings on the topic `usage`, whichever machine or Dagster it runs
on. Not here: publishing them (`services.play`).

The topic `usage_playback_lease` has one partition and no message. The member of the consumer group
of the same name that has the partition assigned holds the lease: the group coordinator assigns it
to one member at a time. A holder that dies, or is silent for `SESSION_SECONDS`, leaves the group,
and the next one gets the partition. With the cooperative-sticky assignor a new member never moves
it.
"""

import threading
import time
from dataclasses import replace
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    KafkaSettings,
    administration,
    ensure_topics,
)

LEASE_TOPIC = "usage_playback_lease"
SESSION_SECONDS = 10.0
WAIT_SECONDS = 15.0
# For a broker that has just started: it first creates the topic that keeps the groups.
_LONGEST_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.2
# After a silence this long, heartbeats (one every two seconds) may have been missed.
_SILENT_SECONDS = SESSION_SECONDS - 3.0


class PlaybackLeaseError(RuntimeError):
    """Another playback has the lease, or this one lost it; one line that says what to do."""


class PlaybackLease:
    """The right to publish readings on the topic `usage`; a context manager.

    Args:
        kafka: The brokers.
        holder: Name of this holder for error texts of others, such as host:folder.
        wait: Seconds to wait for a holder that died without returning it.
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
        """Take the lease, waiting for a holder that died.

        Raises:
            PlaybackLeaseError: When another playback holds it.
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
                    # A new topic is not known everywhere yet.
                    "topic.metadata.refresh.interval.ms": 2000,
                }
            )
        )
        self._client.subscribe(
            [LEASE_TOPIC], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
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
        """Return it; the next one gets it at once."""
        self._close()

    def check(self) -> None:
        """Make sure that it is still held.

        Raises:
            PlaybackLeaseError: When it was lost: this process or the broker was silent for too
                long.
        """
        if self._is_lost.is_set() or self._was_silent():
            raise PlaybackLeaseError(
                f"playback onto {self._kafka.bootstrap} lost its lease, because it or the broker "
                f"was silent for {SESSION_SECONDS:.0f} s: another playback may run now; start this "
                "one again, it resumes after the last reading on the topic"
            )

    def _wait_for_it(self) -> None:
        began = time.monotonic()
        waits_until = began + self._wait
        while not self._has_it.wait(max(waits_until - time.monotonic(), _POLL_SECONDS)):
            holder = self._other_holder()
            if holder is not None:
                raise PlaybackLeaseError(
                    f"a playback onto {self._kafka.bootstrap} runs already, started by {holder}: "
                    "wait for its end or stop it first; two would publish each reading twice"
                )
            if time.monotonic() - began > max(_LONGEST_WAIT_SECONDS, self._wait):
                raise PlaybackLeaseError(
                    f"Kafka at {self._kafka.bootstrap} assigns the partition of {LEASE_TOPIC} to "
                    "nobody: look at the broker's log for the coordinator of this consumer group"
                )

    def _other_holder(self) -> str | None:
        """The client id of the group's member that has the partition now."""
        with administration(self._kafka) as admin:
            futures = admin.describe_consumer_groups([LEASE_TOPIC], request_timeout=ANSWER_SECONDS)
            try:
                members = futures[LEASE_TOPIC].result().members
            except KafkaException:  # The coordinator moves or starts: try again.
                return None
        holders = (member for member in members if member.assignment.topic_partitions)
        holder = next(holders, None)
        return None if holder is None or self._has_it.is_set() else holder.client_id

    def _poll(self) -> None:
        assert self._client is not None  # noqa: S101 - made before the thread starts
        while not self._stop.is_set():
            # Its messages are errors of unreachable brokers, which the client handles; assignments
            # come to the callbacks.
            self._client.poll(_POLL_SECONDS)
            # This process may have been suspended: the client learns only later that the group has
            # removed it.
            if self._has_it.is_set() and self._was_silent():
                self._is_lost.set()
            self._polled = time.monotonic()

    def _was_silent(self) -> bool:
        return time.monotonic() - self._polled > _SILENT_SECONDS

    def _assigned(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        del client
        if partitions:
            self._has_it.set()

    def _revoked(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        del client
        if partitions and not self._stop.is_set():
            self._is_lost.set()

    def _close(self) -> None:
        self._stop.set()
        self._thread.join()
        if self._client is not None:
            self._client.close()
