"""The platform's topics as tests need them: made anew, filled, and read to their end.

Belongs here: clients of tests and of the fault harness. Not here: the broker's process.
"""

import time
from collections.abc import Callable, Sequence

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    DEAD_LETTERS,
    EPISODE,
    SAMPLE_TOPICS,
    SAMPLES_GROUP,
    SCORER_GROUP,
    SUMS_GROUP,
    USAGE,
    KafkaSettings,
    KafkaUnreachableError,
    end_offsets,
    ensure_topics,
)

SLOW_MACHINE_SECONDS = 240.0
_TOPICS = (USAGE, ANOMALY, EPISODE, DEAD_LETTERS)


def until(holds: Callable[[], object], every: float = 0.05) -> None:
    """Look again and again until it holds; fails after a time that no slow machine needs."""
    deadline = time.monotonic() + SLOW_MACHINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "never came"
        time.sleep(every)


def renew_topics(kafka: KafkaSettings) -> None:
    """Make the platform's topics anew, without an event or a committed offset."""
    _renew(kafka, _TOPICS, {SCORER_GROUP, SUMS_GROUP})


def renew_sample_topics(kafka: KafkaSettings) -> None:
    """The same with the topics of samples."""
    _renew(kafka, SAMPLE_TOPICS, {SAMPLES_GROUP})


def _renew(kafka: KafkaSettings, topics: Sequence[str], groups: set[str]) -> None:
    _drop_topics(kafka, topics, groups)
    ensure_topics(kafka, topics)
    until(lambda: all(_has_leaders(kafka, topic) for topic in topics))


def _drop_topics(kafka: KafkaSettings, topics: Sequence[str], groups: set[str]) -> None:
    admin = AdminClient(kafka.client())
    there = groups & {one.group_id for one in admin.list_consumer_groups().result().valid}
    for future in (admin.delete_consumer_groups([*there]) if there else {}).values():
        future.result()
    ours = set(topics) & set(admin.list_topics(timeout=30).topics)
    for future in (admin.delete_topics([*ours]) if ours else {}).values():
        future.result()
    until(lambda: not ours & set(admin.list_topics(timeout=30).topics))


def _has_leaders(kafka: KafkaSettings, topic: str) -> bool:
    try:
        return len(end_offsets(kafka, topic)) == kafka.partitions
    except KafkaUnreachableError:  # A new topic is in the metadata before anyone leads it.
        return False


def recreate_topic(kafka: KafkaSettings, topic: str) -> None:
    """Delete a topic and create it again, beside whoever uses it."""
    admin = AdminClient(kafka.client())
    admin.delete_topics([topic])[topic].result()
    until(lambda: topic not in admin.list_topics(timeout=30).topics)
    ensure_topics(kafka, (topic,))
    until(lambda: _has_leaders(kafka, topic))


def delete_until(kafka: KafkaSettings, topic: str, offset: int) -> None:
    """Delete the events of partition 0 before an offset, as retention does."""
    admin = AdminClient(kafka.client())
    for future in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
        future.result()


def add_partition(kafka: KafkaSettings, topic: str) -> None:
    """Add a partition to a topic of one, and wait for its leader."""
    admin = AdminClient(kafka.client())
    admin.create_partitions([NewPartitions(topic, 2)])[topic].result()

    def has_two() -> bool:
        try:
            return len(end_offsets(kafka, topic)) == 2
        except KafkaUnreachableError:
            return False

    until(has_two)


def put_events(
    kafka: KafkaSettings,
    values: Sequence[bytes | tuple[int, bytes | None] | None],
    topic: str = USAGE,
    key: bytes | None = None,
) -> None:
    """Put events on a topic, in their order: values, or (partition, value) pairs."""
    producer = Producer(kafka.client(**{"enable.idempotence": True}))
    failed = []
    for value in values:
        partition, payload = value if isinstance(value, tuple) else (-1, value)
        producer.produce(
            topic,
            payload,
            key,
            partition,
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
    assert producer.flush(SLOW_MACHINE_SECONDS) == 0
    assert not failed


def read_events(
    kafka: KafkaSettings, topic: str = USAGE, isolation: str = "read_committed"
) -> list[Message]:
    """All events of a topic, partition by partition; without those of open transactions."""
    client = Consumer(
        kafka.client(
            **{
                "group.id": "test-reader",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": isolation,
            }
        )
    )
    partitions = client.list_topics(topic, timeout=30).topics[topic].partitions
    client.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
    found, open_partitions = [], set(partitions)
    deadline = time.monotonic() + SLOW_MACHINE_SECONDS
    while open_partitions:
        assert time.monotonic() < deadline, f"{topic}: {open_partitions} never end"
        for message in client.consume(10_000, timeout=0.2):
            error = message.error()
            if error is None:
                found.append(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error.str()
                open_partitions.discard(message.partition())
    client.close()
    return sorted(found, key=lambda m: (m.partition(), m.offset()))
