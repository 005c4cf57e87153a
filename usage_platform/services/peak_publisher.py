"""Publishes messages on peak warnings, each exactly once.

Belongs here: the transactional producer, and reading what was published. Not here: which warnings
there are (`peak_warnings`).

Whoever takes over aborts what its predecessor had not committed, and then reads the topic to its
end: what is there was published, what is not never will be by anybody else.
"""

from collections.abc import Iterator, Sequence

from confluent_kafka import Message, TopicPartition

from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.open_transactions import wait_for_their_end
from usage_platform.adapters.kafka.producing import produce
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    EPISODE,
    PEAKS_GROUP,
    SCORER_GROUP,
    USAGE,
    KafkaSettings,
    messages_to_end,
    offset_ranges,
    partitions_of,
)
from usage_platform.adapters.stores.peak_record import PeakRecord
from usage_platform.core.anomalies.episode_messages import EpisodeEvent
from usage_platform.services.offset_marks import Work, check_lake_of_stage
from usage_platform.services.score_fencing import (
    TRANSACTION_TIMEOUT_MS,
    fenced_as_own_error,
    transactional_producer,
)

_OPEN_SECONDS = TRANSACTION_TIMEOUT_MS / 1000 + ANSWER_SECONDS


class PeakFencedError(RuntimeError):
    """Another run publishes peak warnings; one line."""

    def __init__(self) -> None:
        super().__init__("another run publishes peak warnings now; it publishes what is due")


class PeakPublisher:
    """A producer with the transactional id of peak warnings, which it takes over.

    Args:
        kafka: The brokers.
        lake_id: The id of the lake whose meters are warned of.

    Raises:
        OtherLakeError: The broker serves another lake.
        PeakFencedError: Somebody else has taken over meanwhile.
        KafkaException: When the broker refuses, or is silent for too long.
    """

    def __init__(self, kafka: KafkaSettings, lake_id: str) -> None:
        check_lake_of_stage(kafka, lake_id, Work(USAGE, SCORER_GROUP, "scored"))
        self._kafka = kafka
        self._producer = transactional_producer(kafka, PEAKS_GROUP)
        with fenced_as_own_error(self._producer, PeakFencedError):
            self._producer.init_transactions(ANSWER_SECONDS)

    def new_messages(self, record: PeakRecord) -> Iterator[Message]:
        """The messages of the topic `episode` since the record's offsets, which are moved on.

        Of a topic that was created again all messages, and the record forgets the former one's.
        """
        topic = topic_id(self._kafka, EPISODE) or ""
        if topic != record.topic:
            record.topic = topic
            record.offsets.clear()
            record.warnings.clear()
        with committed_reader(self._kafka, PEAKS_GROUP) as client:
            partitions = partitions_of(client, self._kafka, EPISODE)
            # What another run has committed may lie behind an open transaction of the scorer.
            wait_for_their_end(self._kafka, partitions, _OPEN_SECONDS)
            # What was not read, and what Kafka still has.
            starts = [
                TopicPartition(EPISODE, partition, max(low, record.offsets.get(partition, 0)))
                for partition, (low, _) in offset_ranges(client, partitions).items()
            ]
            for message in messages_to_end(client, starts):
                record.offsets[message.partition() or 0] = (message.offset() or 0) + 1
                yield message

    def publish(self, events: Sequence[EpisodeEvent]) -> None:
        """Publish messages in one transaction: all of them or, after a kill, none.

        Raises:
            PeakFencedError: Another run has taken over; nothing is published.
            KafkaException: The run must end; all is published, or nothing.
        """
        if not events:
            return
        producer = self._producer
        with fenced_as_own_error(producer, PeakFencedError):
            producer.begin_transaction()
            seconds = TRANSACTION_TIMEOUT_MS / 1000
            for event in events:
                produce(producer, EPISODE, event.value, event.meter.encode(), seconds)
            producer.commit_transaction(ANSWER_SECONDS)
