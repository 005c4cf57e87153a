"""Open transactions on the platform's topics, and their age.

Belongs here: comparing the last stable offset with the high watermark, waiting for their end. Not
here: how long a transaction may be open (`services.score`), reporting one that hangs (`defs`,
`console`).
"""

import time
from dataclasses import dataclass
from typing import cast

import pandas as pd
from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    OffsetSpec,  # pyright: ignore[reportPrivateImportUsage] - documented as public
)

from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    ANSWER_SECONDS,
    DEAD_LETTERS,
    EPISODE,
    USAGE,
    KafkaSettings,
    administration,
    messages_to_end,
    partitions_of,
)
from usage_platform.core.time.broker_time import broker_times

WATCHED_TOPICS = (USAGE, ANOMALY, EPISODE, DEAD_LETTERS)
"""The topics whose consumers read committed events only, and so wait for open transactions.

The scorer writes to all but `usage`, in one transaction. Readings from samples come to `usage` in
transactions; playback writes there without any, and other producers may have theirs.
"""

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class OpenTransaction:
    """A partition with an open transaction: consumers of committed events wait there.

    Attributes:
        topic: The topic.
        partition: The partition.
        stable: The last stable offset: the first one that these consumers do not get.
        end: The high watermark: one past the last event.
        age: How long ago the broker appended the oldest event from `stable` on.
    """

    topic: str
    partition: int
    stable: int
    end: int
    age: pd.Timedelta

    def __str__(self) -> str:
        return (
            f"{self.topic} partition {self.partition}: offsets {self.stable} to {self.end - 1} "
            f"wait for a transaction that has been open for {self.age.total_seconds():,.0f} s"
        )


def open_transactions(kafka: KafkaSettings, now: pd.Timestamp) -> list[OpenTransaction]:
    """The open transactions on `usage`, `anomaly`, `episode` and `usage_rejects`.

    Args:
        kafka: The brokers.
        now: The current time, UTC, from which ages count.

    Raises:
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker refuses, or is silent for too long.
    """
    client = Consumer(
        kafka.client(
            **{
                "group.id": "usage-platform-transactions",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_uncommitted",
            }
        )
    )
    try:
        partitions = [p for topic in WATCHED_TOPICS for p in partitions_of(client, kafka, topic)]
        with administration(kafka) as admin:
            # In this order, so that a transaction that ends in between is not reported.
            ends = _latest(admin, partitions, IsolationLevel.READ_UNCOMMITTED)
            stable = _latest(admin, partitions, IsolationLevel.READ_COMMITTED)
        transactions = []
        for (topic, partition), end in ends.items():
            start = stable[topic, partition]
            since = _appended(client, topic, partition, start) if start < end else None
            if since is not None:
                transactions.append(OpenTransaction(topic, partition, start, end, now - since))
        return transactions
    finally:
        client.close()


def wait_for_their_end(
    kafka: KafkaSettings, partitions: list[TopicPartition], seconds: float
) -> None:
    """Wait until every transaction that is open now is committed or aborted.

    An open transaction, of whichever producer, hides from consumers of committed events all that
    came after its first event, what was committed meanwhile included.

    Args:
        kafka: The brokers.
        partitions: Where transactions may be open.
        seconds: For how long to wait.

    Raises:
        KafkaException: When one is open for longer, or the broker refuses or is silent.
    """
    deadline = time.monotonic() + seconds
    with administration(kafka) as admin:
        ends = _latest(admin, partitions, IsolationLevel.READ_UNCOMMITTED)
        while any(
            stable < ends[place]
            for place, stable in _latest(admin, partitions, IsolationLevel.READ_COMMITTED).items()
        ):
            if time.monotonic() > deadline:
                raise KafkaException(
                    KafkaError(
                        KafkaError._TIMED_OUT, f"a transaction has been open for {seconds:.0f} s"
                    )
                )
            time.sleep(_POLL_SECONDS)


def _latest(
    admin: AdminClient, partitions: list[TopicPartition], isolation: IsolationLevel
) -> dict[tuple[str, int], int]:
    if not partitions:
        return {}
    latest = cast("OffsetSpec", OffsetSpec.latest())
    futures = admin.list_offsets(
        dict.fromkeys(partitions, latest),
        isolation_level=isolation,
        request_timeout=ANSWER_SECONDS,
    )
    return {
        (p.topic, p.partition): future.result(timeout=2 * ANSWER_SECONDS).offset
        for p, future in futures.items()
    }


def _appended(client: Consumer, topic: str, partition: int, offset: int) -> pd.Timestamp | None:
    """When the broker appended the first event from an offset on, UTC; None without any."""
    start = TopicPartition(topic, partition, offset)
    message = next(messages_to_end(client, [start]), None)
    return None if message is None else broker_times([message.timestamp()[1]]).iloc[0]
