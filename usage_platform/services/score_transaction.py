"""A scorer's transactions: what it publishes and how far it has read, all of it or nothing.

Belongs here: the transactional producer, and one transaction. Not here: what is published
(`core.anomalies.stream`), the loop around it (`score`).
"""

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd
from confluent_kafka import Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.producing import produce, within
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    ANSWER_SECONDS,
    DEAD_LETTERS,
    EPISODE,
    KafkaSettings,
)
from usage_platform.core.anomalies.anomaly import anomaly_messages
from usage_platform.core.anomalies.episode_messages import EpisodeEvent
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import kept_bytes
from usage_platform.core.readings.reject_reasons import KEPT_BYTES
from usage_platform.services.score_fencing import (
    TRANSACTION_TIMEOUT_MS,
    fenced_as_own_error,
    transactional_producer,
)

OutputMessage = tuple[str, bytes | None, bytes | None]
"""Topic, value and key."""


class ScorerTransactions:
    """A producer with a scorer's transactional id.

    Args:
        kafka: The brokers.
        number: The scorer's number, from 0 on.
    """

    def __init__(self, kafka: KafkaSettings, number: int = 0) -> None:
        self.number = number
        name = f"anomaly-scorer{f'-{number}' if number else ''}"
        self._producer = transactional_producer(kafka, name)

    def take_over(self) -> None:
        """Fence whoever had the id before, whose transaction can no longer commit.

        Raises:
            ScorerFencedError: Somebody else has taken over meanwhile.
        """
        with fenced_as_own_error(self._producer):
            self._producer.init_transactions(ANSWER_SECONDS)

    def commit(
        self,
        client: Consumer,
        positions: Sequence[TopicPartition],
        messages: Iterable[OutputMessage] = (),
    ) -> None:
        """Publish messages and commit offsets in one transaction.

        Args:
            client: A consumer in the group whose offsets they are.
            positions: The offsets, with their metadata.
            messages: The messages, in the order in which to publish them.

        Raises:
            ScorerFencedError: Somebody else has taken over; nothing is committed.
            KafkaException: The producer must be replaced; all is committed, or nothing.
        """
        producer = self._producer
        with fenced_as_own_error(producer):
            producer.begin_transaction()
            for topic, value, key in messages:
                produce(producer, topic, value, key, seconds=TRANSACTION_TIMEOUT_MS / 1000)
            group = client.consumer_group_metadata()
            # librdkafka ignores the time limit of this call when the coordinator goes away
            # (confluentinc/librdkafka#5456); it would hang until the process ends.
            within(
                ANSWER_SECONDS,
                lambda: producer.send_offsets_to_transaction([*positions], group, ANSWER_SECONDS),
            )
            producer.commit_transaction(ANSWER_SECONDS)


def output_messages(
    anomalies: pd.DataFrame,
    episodes: Iterable[EpisodeEvent],
    rejected: Iterable[Message],
    registry: MeterRegistry,
) -> Iterator[OutputMessage]:
    """The messages of a portion: its anomalies (`ANOMALY_COLUMNS`), episodes and dead letters."""
    values = anomaly_messages(anomalies, registry)
    for meter, value in zip(anomalies["meter"], values, strict=True):
        yield ANOMALY, value, meter.encode()
    for event in episodes:
        yield EPISODE, event.value, event.meter.encode()
    for message in rejected:
        # A key or value as large as the broker takes would be too large with what is around it.
        key = message.key()
        is_small = key is not None and len(key) <= KEPT_BYTES
        value = kept_bytes(message.value(), registry.limits)
        yield DEAD_LETTERS, value, key if is_small else None
