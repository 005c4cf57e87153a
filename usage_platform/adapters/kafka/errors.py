"""Errors of Kafka's client, for people.

Belongs here: their one line. Not here: a broker that does not answer at all (`topics`).
"""

from confluent_kafka import KafkaException


def kafka_error_line(error: KafkaException) -> str:
    """What a client of Kafka failed with, in one line."""
    return f"Kafka: {error.args[0].str()}"
