"""The ids that Kafka gives to topics: a topic that was deleted and created again has another one.

Belongs here: asking the brokers. Not here: what another id means for progress
(`services.topic_progress`).
"""

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    KafkaSettings,
    administration,
    unreachable,
)

UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAA"
"""The id of topics on brokers that have none: Kafka before 2.8, some compatible brokers."""


def topic_id(kafka: KafkaSettings, topic: str) -> str | None:
    """The id of a topic as Kafka's tools print it; None where there is no such topic.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    found = described_topic(kafka, topic)
    return None if found is None else found[0]


def described_topic(kafka: KafkaSettings, topic: str) -> tuple[str, int] | None:
    """The id of a topic and the number of its partitions; None where there is no such topic.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    with administration(kafka) as admin:
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=ANSWER_SECONDS)
        future = asked[topic]
        try:
            found = future.result(timeout=2 * ANSWER_SECONDS)
            return str(found.topic_id), len(found.partitions)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            raise unreachable(kafka, error) from None
