"""Topics: made where they are missing, and how far they reach.

Belongs here: administration of topics and their offsets. Not here: writing to them (`playback`,
`scoring`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

USAGE = "usage"
ANOMALY = "anomaly"
DEAD_LETTERS = "usage_rejects"
_TIMEOUT = 10.0
_TOPIC_CONFIG = {
    # The broker's clock orders the events of a key and anchors the guard against future times.
    "message.timestamp.type": "LogAppendTime",
}


class KafkaUnreachableError(ConnectionError):
    """No broker answers; the message says where and what to do."""


@dataclass(frozen=True)
class KafkaSettings:
    """How clients reach the brokers.

    Attributes:
        bootstrap: host:port, or several with commas.
        partitions: Partitions of topics that are made.
        replication: Replicas of topics that are made.
        security: Further librdkafka settings, for TLS and SASL.
    """

    bootstrap: str
    partitions: int = 1
    replication: int = 1
    security: Mapping[str, str] = field(default_factory=dict, repr=False)

    def client(self, **more: object) -> dict[str, object]:
        """Librdkafka settings of a client."""
        return {
            "bootstrap.servers": self.bootstrap,
            "log_level": 3,
            "reconnect.backoff.max.ms": 2000,
            **self.security,
            **more,
        }


def ensure_topics(kafka: KafkaSettings) -> None:
    """Make the platform's topics where they are missing.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    admin = AdminClient(kafka.client())
    topics = [
        NewTopic(name, kafka.partitions, kafka.replication, config=_TOPIC_CONFIG)
        for name in (USAGE, ANOMALY, DEAD_LETTERS)
    ]
    for future in admin.create_topics(topics, operation_timeout=_TIMEOUT).values():
        try:
            future.result(timeout=2 * _TIMEOUT)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise _unreachable(kafka, error) from None


def partitions_of(client: Consumer, kafka: KafkaSettings, topic: str) -> list[TopicPartition]:
    """The partitions of a topic; none where it does not exist.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    try:
        metadata = client.list_topics(topic, timeout=_TIMEOUT)
    except KafkaException as error:
        raise _unreachable(kafka, error) from None
    found = metadata.topics[topic]
    if found.error is not None:
        return []
    return [TopicPartition(topic, number) for number in sorted(found.partitions)]


def end_offsets(kafka: KafkaSettings, topic: str) -> dict[int, tuple[int, int]]:
    """The first offset and the end (one past the last) of each partition of a topic.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    client = Consumer(kafka.client(**{"group.id": "usage-platform-offsets"}))
    try:
        return {
            p.partition: client.get_watermark_offsets(p, timeout=_TIMEOUT)
            for p in partitions_of(client, kafka, topic)
        }
    except KafkaException as error:
        raise _unreachable(kafka, error) from None
    finally:
        client.close()


def _unreachable(kafka: KafkaSettings, error: KafkaException) -> KafkaUnreachableError:
    return KafkaUnreachableError(
        f"Kafka at {kafka.bootstrap} does not answer ({error.args[0].str()}): start the platform "
        "with 'usage-platform up', or set USAGE_KAFKA_BOOTSTRAP"
    )
