"""How far playback has come: the topic `usage` itself says it.

Belongs here: marking events with their source, and finding each meter's newest one. Not here:
publishing readings (`services.play`), which of them remain (`services.playback_plan`).
"""

import hashlib

import pandas as pd
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.topics import (
    USAGE,
    KafkaSettings,
    messages_to_end,
    partitions_of,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import parse_usage

_TAIL = 2_000


def source_header(source: str) -> tuple[str, bytes]:
    """The header that marks an event as one of a source.

    Args:
        source: Identifies the source; any text.
    """
    return "source", hashlib.sha256(source.encode()).hexdigest()[:16].encode()


def last_played(
    kafka: KafkaSettings, source: str, meters: set[str], registry: MeterRegistry
) -> dict[str, pd.Timestamp]:
    """Each meter's newest reading of a source on the topic: where its playback resumes.

    Looks back from the end, further and further, until every meter is found or nothing is left.
    Events of other sources and of other programs do not count, whatever their meter and time.

    Args:
        kafka: The brokers.
        source: Identifies the source, as for `source_header`.
        meters: Names of the meters to look for.
        registry: Gives the meter and the zone of events that name none.

    Returns:
        UTC instants by meter; a meter without an event on the topic is missing.

    Raises:
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker refuses, or is silent for too long.
    """
    with committed_reader(kafka, "usage-platform-playback") as client:
        newest: dict[str, pd.Timestamp] = {}
        ends = [
            (p.partition, *client.get_watermark_offsets(p, timeout=10))
            for p in partitions_of(client, kafka, USAGE)
        ]
        longest = max((high - low for _, low, high in ends), default=0)
        back = _TAIL
        # All partitions each time: a meter's events move to another one when partitions are added.
        while longest and not meters <= set(newest):
            for partition, low, high in ends:
                start = max(low, high - back)
                tail = _newest_in(client, partition, start, source_header(source), registry)
                for meter in meters & set(tail):
                    newest[meter] = max(tail[meter], newest.get(meter, tail[meter]))
            if back >= longest:
                break
            back *= 8
        return newest


def _newest_in(
    client: Consumer,
    partition: int,
    start: int,
    header: tuple[str, bytes],
    registry: MeterRegistry,
) -> dict[str, pd.Timestamp]:
    from_here = TopicPartition(USAGE, partition, start if start else OFFSET_BEGINNING)
    messages = [
        message
        for message in messages_to_end(client, [from_here])
        if header in (message.headers() or ())
    ]
    received = pd.to_datetime([m.timestamp()[1] for m in messages], unit="ms", utc=True)
    events = parse_usage(
        [m.value() for m in messages], [m.key() for m in messages], pd.Series(received), registry
    )
    good = events[events["reason"].isna()]
    newest = good.groupby("meter")["event_time"].max()
    return {str(meter): ts for meter, ts in newest.items()}
