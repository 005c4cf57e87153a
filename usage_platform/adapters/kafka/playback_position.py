"""How far playback has come on the topic `usage`: its events are marked with their source.

Belongs here: marking events with their source, and finding each meter's newest one from given
offsets on. Not here: publishing readings (`services.play`), remembering how far it was read
(`adapters.stores.playback_record`), which readings remain (`services.playback_plan`).
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
from confluent_kafka import Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.consuming import message_portions
from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.message_headers import readable_headers
from usage_platform.adapters.kafka.topics import (
    USAGE,
    KafkaSettings,
    messages_to_end,
    offset_ranges,
    partitions_of,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import parse_usage
from usage_platform.core.time.broker_time import broker_times

_AT_ONCE = 20_000


@dataclass(frozen=True)
class PlayedEvents:
    """The events of a source on the topic.

    Attributes:
        last: Each meter's newest reading, UTC instants; a meter without an event is missing.
        ends: By partition, the offset up to which the topic was read.
    """

    last: dict[str, pd.Timestamp]
    ends: dict[int, int]


def source_header(source: str) -> tuple[str, bytes]:
    """The header that marks an event as one of a source.

    Args:
        source: Identifies the source; any text.
    """
    return "source", hashlib.sha256(source.encode()).hexdigest()[:16].encode()


def played_since(
    kafka: KafkaSettings,
    sources: Collection[str],
    starts: Mapping[int, int],
    registry: MeterRegistry,
) -> PlayedEvents:
    """Each meter's newest reading of a source among the events from some offsets on.

    Events of other sources and of other programs do not count, whatever their meter and time.

    Args:
        kafka: The brokers.
        sources: Names of the source, as for `source_header`; it may have had another one.
        starts: By partition, the first offset to read; a missing one is read from its beginning.
        registry: Gives the meter and the zone of events that name none.

    Raises:
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker refuses, or is silent for too long.
    """
    headers = [source_header(name) for name in sources]
    newest: dict[str, pd.Timestamp] = {}
    with committed_reader(kafka, "usage-platform-playback") as client:
        positions, ends = _unread(client, kafka, starts)
        messages = messages_to_end(client, positions)
        for portion in message_portions(messages, _AT_ONCE):
            ours = [m for m in portion if any(h in readable_headers(m) for h in headers)]
            for meter, ts in _newest(ours, registry).items():
                newest[meter] = max(ts, newest.get(meter, ts))
    return PlayedEvents(newest, ends)


def _unread(
    client: Consumer, kafka: KafkaSettings, starts: Mapping[int, int]
) -> tuple[list[TopicPartition], dict[int, int]]:
    """Where to read in each partition that has something to read, and the ends of all."""
    positions: list[TopicPartition] = []
    ends: dict[int, int] = {}
    for partition, (low, high) in offset_ranges(
        client, partitions_of(client, kafka, USAGE)
    ).items():
        start = max(starts.get(partition, low), low)
        ends[partition] = high
        if start < high:
            positions.append(TopicPartition(USAGE, partition, start))
    return positions, ends


def _newest(messages: list[Message], registry: MeterRegistry) -> dict[str, pd.Timestamp]:
    received = broker_times([m.timestamp()[1] for m in messages])
    events = parse_usage(
        [m.value() for m in messages], [m.key() for m in messages], received, registry
    )
    good = events[events["reason"].isna()]
    newest = good.groupby("meter")["event_time"].max()
    return {str(meter): ts for meter, ts in newest.items()}
