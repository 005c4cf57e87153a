"""Tailing the topics `anomaly` and `episode`: a line a message, as they come."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, TopicPartition
from rich.markup import escape

from usage_platform.adapters.kafka_topics import KafkaSettings, partitions_of
from usage_platform.core.anomalies import TOLD
from usage_platform.core.episode_events import EpisodeStatus
from usage_platform.core.wire import read_anomalies

_WORDS = {"low": "dim", "medium": "yellow", "high": "bold red"}


def as_they_come(
    kafka: KafkaSettings, topic: str, from_beginning: bool, follow: bool
) -> Iterator[dict[str, Any]]:
    """The messages on a topic of this platform's own, in their order.

    Args:
        kafka: The brokers.
        topic: `anomaly` or `episode`.
        from_beginning: All that the topic holds, or only new ones.
        follow: Go on waiting for new ones; else end at the end of the topic.

    Raises:
        KafkaUnreachableError: When no broker answers at the start.
    """
    consumer = Consumer(
        kafka.client(
            **{
                "group.id": "usage-platform-watch",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
    )
    try:
        start = OFFSET_BEGINNING if from_beginning else OFFSET_END
        partitions = partitions_of(consumer, kafka, topic)
        while follow and not partitions:
            # The platform makes its topics once it is up; all that they hold is then new.
            time.sleep(1)
            start = OFFSET_BEGINNING
            partitions = partitions_of(consumer, kafka, topic)
        consumer.assign([TopicPartition(topic, p.partition, start) for p in partitions])
        ended: set[int] = set()
        while follow or len(ended) < len(partitions):
            for message in consumer.consume(500, timeout=0.5):
                error = message.error()
                if error is None:
                    yield from read_anomalies([message.value() or b"{}"])
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition() or 0)
    finally:
        consumer.close()


def anomaly_line(anomaly: dict[str, Any]) -> str:
    """An anomaly for people, with rich's markup: local time, meter, severity, why, score."""
    ts = datetime.fromisoformat(anomaly["ts"])
    said = anomaly["explanation"]
    if anomaly["status"] != TOLD:
        said = f"{anomaly['status']}: {said}"
    return (
        f"{ts:%Y-%m-%d %H:%M %z}  {_meter(anomaly)} {_severity(anomaly)}  "
        f"{escape(said)}  score {anomaly['score']:.2f}"
    )


def episode_line(event: dict[str, Any]) -> str:
    """A message on an episode for people, with rich's markup."""
    at = datetime.fromisoformat(event["at"])
    begun = f"{at:%Y-%m-%d %H:%M %z}  {_meter(event)} {event['status']:<9}"
    if event["status"] == EpisodeStatus.WITHDRAWN:
        return f"{begun} the episode of {event['episode']} is none after all"
    start, end = (datetime.fromisoformat(event[name]) for name in ("start", "end"))
    excess = "" if event["excess_kwh"] is None else f", {event['excess_kwh']:+.0f} kWh"
    return (
        f"{begun} {_severity(event)}  since {start:%H:%M}, {(end - start).total_seconds() / 60:.0f}"
        f" min{excess}; at its peak: {escape(event['explanation'])}"
    )


def _meter(message: dict[str, Any]) -> str:
    # Filled up first: what escaping adds takes no room on the screen.
    return escape(f"{message['meter']:<20}")


def _severity(message: dict[str, Any]) -> str:
    severity = message["severity"]
    return f"[{_WORDS[severity]}]{severity:<6}[/]"


def json_line(anomaly: dict[str, Any]) -> str:
    """A message for programs: one line of JSON."""
    return json.dumps(anomaly, separators=(",", ":"))
