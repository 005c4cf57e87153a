"""Tailing the topic `anomaly`: a line an anomaly, as they come."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, TopicPartition
from rich.markup import escape

from usage_platform.adapters.kafka_topics import ANOMALY, KafkaSettings, partitions_of
from usage_platform.core.wire import read_anomalies

_WORDS = {"low": "dim", "medium": "yellow", "high": "bold red"}


def anomalies_as_they_come(
    kafka: KafkaSettings, from_beginning: bool, follow: bool
) -> Iterator[dict[str, Any]]:
    """The anomalies on the topic, in their order.

    Args:
        kafka: The brokers.
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
        partitions = partitions_of(consumer, kafka, ANOMALY)
        while follow and not partitions:
            # The platform makes its topics once it is up; all that they hold is then new.
            time.sleep(1)
            start = OFFSET_BEGINNING
            partitions = partitions_of(consumer, kafka, ANOMALY)
        consumer.assign([TopicPartition(ANOMALY, p.partition, start) for p in partitions])
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


def line(anomaly: dict[str, Any]) -> str:
    """An anomaly for people, with rich's markup: local time, power, range, score, severity."""
    ts = datetime.fromisoformat(anomaly["ts"])
    severity = anomaly["severity"]
    return (
        f"{ts:%Y-%m-%d %H:%M %z}  {escape(anomaly['meter']):<20} {anomaly['usage']:9.1f} kW   "
        f"expected {anomaly['expected_low']:.1f} to {anomaly['expected_high']:.1f}   "
        f"score {anomaly['score']:.2f}   [{_WORDS[severity]}]{severity}[/]"
    )


def json_line(anomaly: dict[str, Any]) -> str:
    """An anomaly for programs: one line of JSON."""
    return json.dumps(anomaly, separators=(",", ":"))
