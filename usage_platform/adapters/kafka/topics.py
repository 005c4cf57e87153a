"""Topics: creating missing ones, their partitions and offsets.

Belongs here: administration of topics, and reading to their end. Not here: producing to them
(`services.play`, `services.score`).
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,  # pyright: ignore[reportPrivateImportUsage]
    ConfigEntry,  # pyright: ignore[reportPrivateImportUsage]
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
)
from confluent_kafka.cimpl import NewTopic

from usage_platform.adapters.kafka.consuming import consume
from usage_platform.adapters.kafka.security import KafkaSecurity, LoopbackPassword, Plaintext

USAGE = "usage"
ANOMALY = "anomaly"
EPISODE = "episode"
DEAD_LETTERS = "usage_rejects"
SAMPLES = "samples"
SAMPLE_REJECTS = "sample_rejects"
SAMPLE_TOPICS = (SAMPLES, SAMPLE_REJECTS)
"""What live meters send, and what of it is no sample; created where samples are used."""
SAMPLES_GROUP = "sample-readings"
"""The consumer group whose offsets are the progress of readings from samples."""
SUMS_GROUP = "group-sums"
"""The consumer group whose metadata is the progress of readings of groups."""
PEAKS_GROUP = "peak-warnings"
"""The consumer group and transactional id of peak warnings, which commit no offsets."""
SCORER_GROUP = "anomaly-scorer"
"""The consumer group whose offsets are the scorer's progress."""

ANSWER_SECONDS = 10.0
"""For how long a call waits for the brokers' answer, whatever it asks."""

_log = logging.getLogger(__name__)
_SILENCE_SECONDS = 20.0
# How long a call waits for messages, also after the last one.
_POLL_SECONDS = 0.1
# Topics whose settings this process has checked, by the brokers' addresses.
_checked: set[tuple[str, str]] = set()
_BAD_SHAPE = (KafkaError.INVALID_PARTITIONS, KafkaError.INVALID_REPLICATION_FACTOR)
_TOPIC_CONFIG = {
    # The broker's clock orders the events of a key and bounds event times in the future.
    "message.timestamp.type": "LogAppendTime",
    # The broker then unpacks what producers compressed and refuses what is larger than
    # `max.message.bytes` (1 MB). Otherwise it stores 6 KB that are 200 MB for every reader.
    "compression.type": "uncompressed",
}


class KafkaUnreachableError(ConnectionError):
    """No broker answers; one line with its address and what to do."""


@dataclass(frozen=True)
class KafkaSettings:
    """How clients reach the brokers.

    Attributes:
        bootstrap: host:port, or several with commas.
        partitions: Number of partitions of new topics.
        replication: Number of replicas of new topics.
        security: Authentication and encryption.
    """

    bootstrap: str
    partitions: int = 1
    replication: int = 1
    security: KafkaSecurity = field(default_factory=Plaintext)

    def client(self, **more: object) -> dict[str, Any]:
        """Librdkafka settings of a client."""
        return {
            "bootstrap.servers": self.bootstrap,
            # Errors are raised; otherwise each try to reach a broker that is down logs a line.
            "log_level": 2,
            "reconnect.backoff.max.ms": 2000,
            **self.security.client(),
            **more,
        }

    def spark(self) -> dict[str, str]:
        """Options of Spark's Kafka source."""
        java = {"bootstrap.servers": self.bootstrap, **self.security.java()}
        return {f"kafka.{name}": value for name, value in java.items()}


_TOPICS = (USAGE, ANOMALY, EPISODE, DEAD_LETTERS)


def ensure_topics(kafka: KafkaSettings, names: Sequence[str] = _TOPICS) -> None:
    """Create missing topics; all topics of readings and anomalies by default.

    Topics that another program created get the settings that the platform relies on, where the
    client may change them; that is checked once a process.

    Raises:
        KafkaUnreachableError: When no broker answers, or it refuses to create them.
    """
    topics = [
        NewTopic(name, kafka.partitions, kafka.replication, config=_TOPIC_CONFIG) for name in names
    ]
    with administration(kafka) as admin:
        futures = admin.create_topics(
            topics, operation_timeout=ANSWER_SECONDS, request_timeout=ANSWER_SECONDS
        )
        existing: list[str] = []
        for name, future in futures.items():
            try:
                future.result(timeout=2 * ANSWER_SECONDS)
                _checked.discard((kafka.bootstrap, name))
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise _not_created(kafka, error) from None
                existing.append(name)
        unchecked = [name for name in existing if (kafka.bootstrap, name) not in _checked]
        if unchecked:
            _correct_settings(admin, unchecked)
            _checked.update((kafka.bootstrap, name) for name in unchecked)


def _correct_settings(admin: AdminClient, topics: Sequence[str]) -> None:
    """Give existing topics the settings of `_TOPIC_CONFIG`."""
    asked = admin.describe_configs(
        [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics],
        request_timeout=ANSWER_SECONDS,
    )
    for topic, future in asked.items():
        try:
            found = future.result(timeout=2 * ANSWER_SECONDS)
            wrong = {k: v for k, v in _TOPIC_CONFIG.items() if found[k].value != v}
            if not wrong:
                continue
            set_to = AlterConfigOpType.SET
            entries = [ConfigEntry(k, v, incremental_operation=set_to) for k, v in wrong.items()]
            change = ConfigResource(
                ConfigResource.Type.TOPIC, topic.name, incremental_configs=entries
            )
            changed = admin.incremental_alter_configs([change], request_timeout=ANSWER_SECONDS)
            for done in changed.values():
                done.result(timeout=2 * ANSWER_SECONDS)
        except KafkaException as error:
            _log.warning(
                "topic %s: its settings cannot be checked (%s); the platform relies on %s",
                topic.name,
                error.args[0].str(),
                ", ".join(f"{k}={v}" for k, v in _TOPIC_CONFIG.items()),
            )


def administration(kafka: KafkaSettings) -> AbstractContextManager[AdminClient]:
    """An admin client, to be used as a context manager, which closes it.

    Otherwise a future that fails keeps the client in a reference cycle with the frame that waits
    for it. The garbage collector may then run on the client's own thread, where tokens are made,
    and a client that is destroyed there aborts the process.
    """
    return AdminClient(kafka.client())


def partitions_of(
    client: Consumer, kafka: KafkaSettings, topic: str, seconds: float = ANSWER_SECONDS
) -> list[TopicPartition]:
    """The partitions of a topic; none where it does not exist.

    Args:
        client: A consumer.
        kafka: The brokers, for the error.
        topic: The topic.
        seconds: For how long to wait for an answer.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    try:
        metadata = client.list_topics(topic, timeout=seconds)
    except KafkaException as error:
        raise unreachable(kafka, error) from None
    known = metadata.topics[topic]
    if known.error is not None:
        return []
    return [TopicPartition(topic, number) for number in sorted(known.partitions)]


def positions_at(
    client: Consumer, partitions: Sequence[TopicPartition], milliseconds: int
) -> list[TopicPartition]:
    """The first message of each partition that the broker appended at a time or later.

    Args:
        client: A consumer.
        partitions: The partitions.
        milliseconds: The time, ms since 1970 UTC.

    Returns:
        The partitions with these offsets; with that of the end where there is none.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
    """
    asked = [TopicPartition(p.topic, p.partition, milliseconds) for p in partitions]
    return client.offsets_for_times(asked, timeout=ANSWER_SECONDS) if asked else []


def offset_ranges(
    client: Consumer, partitions: Iterable[TopicPartition]
) -> dict[int, tuple[int, int]]:
    """The first offset and the end (one past the last) of each of a topic's partitions.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
    """
    return {
        one.partition: client.get_watermark_offsets(one, timeout=ANSWER_SECONDS)
        for one in partitions
    }


def end_offsets(kafka: KafkaSettings, topic: str) -> dict[int, tuple[int, int]]:
    """The first offset and the end (one past the last) of each partition of a topic.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    client = Consumer(kafka.client(**{"group.id": "usage-platform-offsets"}))
    try:
        return offset_ranges(client, partitions_of(client, kafka, topic))
    except KafkaException as error:
        raise unreachable(kafka, error) from None
    finally:
        client.close()


def messages_to_end(client: Consumer, starts: list[TopicPartition]) -> Iterator[Message]:
    """The messages that partitions hold now, from the given offsets on.

    Args:
        client: A consumer with `enable.partition.eof`; it is assigned these partitions.
        starts: Partitions with their offsets.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
    """
    if not starts:
        return
    client.assign(starts)
    ended: set[int | None] = set()
    last = time.monotonic()
    while len(ended) < len(starts):
        messages = consume(client, 10_000, _POLL_SECONDS)
        if messages:
            last = time.monotonic()
        elif time.monotonic() - last > _SILENCE_SECONDS:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        for message in messages:
            error = message.error()
            if error is None:
                yield message
            else:
                ended.add(message.partition())


def _not_created(kafka: KafkaSettings, error: KafkaException) -> KafkaUnreachableError:
    if error.args[0].code() not in _BAD_SHAPE:
        return unreachable(kafka, error)
    return KafkaUnreachableError(
        f"Kafka at {kafka.bootstrap} cannot create the topics ({error.args[0].str()}): check "
        f"USAGE_KAFKA_PARTITIONS={kafka.partitions} and USAGE_KAFKA_REPLICATION={kafka.replication}"
    )


def unreachable(kafka: KafkaSettings, error: KafkaException) -> KafkaUnreachableError:
    """The error for a broker that does not answer or refuses, with what to do."""
    remedy = "start the platform with 'usage-platform up', or set USAGE_KAFKA_BOOTSTRAP"
    if not isinstance(kafka.security, (Plaintext, LoopbackPassword)):
        remedy = "check USAGE_KAFKA_BOOTSTRAP, USAGE_KAFKA_SECURITY and its credentials"
    return KafkaUnreachableError(
        f"Kafka at {kafka.bootstrap} does not answer ({error.args[0].str()}): {remedy}"
    )
