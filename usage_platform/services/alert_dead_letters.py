"""Alerts that could not be delivered, on a topic of their own.

Belongs here: publishing them. Not here: when an alert is given up (`deliver_alerts`).
"""

import json
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from usage_platform.adapters.kafka.producing import produce
from usage_platform.adapters.kafka.topics import ANSWER_SECONDS, KafkaSettings, ensure_topics
from usage_platform.core.alerts.alert import Alert

ALERT_DEAD_LETTERS = "alert_dead_letters"


def publish_dead_letter(
    kafka: KafkaSettings, sink: str, alert: Alert, reason: str, tries: int, now: datetime
) -> None:
    """Publish a dead letter for an alert that was not delivered.

    Args:
        kafka: The brokers.
        sink: The sink's name.
        alert: The alert.
        reason: Why it was given up.
        tries: How often it was tried.
        now: The current time, with a zone.

    Raises:
        KafkaException: When it was not written.
    """
    ensure_topics(kafka, (ALERT_DEAD_LETTERS,))
    letter = {
        "sink": sink,
        "reason": reason,
        "tries": tries,
        "given_up_at": now.isoformat(),
        "alert": alert.as_json(),
    }
    with _producer(kafka) as producer:
        value, key = json.dumps(letter).encode(), alert.meter.encode()
        produce(producer, ALERT_DEAD_LETTERS, value, key, ANSWER_SECONDS)


@contextmanager
def _producer(kafka: KafkaSettings) -> Generator[Producer]:
    """A producer; leaving the block waits until all messages are written.

    Raises:
        KafkaException: When one was not.
    """
    failures: list[KafkaError] = []

    def note(error: KafkaError | None, message: Message) -> None:
        del message
        if error is not None:
            failures.append(error)

    producer = Producer(kafka.client(**{"enable.idempotence": True}), on_delivery=note)
    yield producer
    left = producer.flush(ANSWER_SECONDS)
    if failures or left:
        raise KafkaException(failures[0] if failures else KafkaError(KafkaError._TIMED_OUT))
