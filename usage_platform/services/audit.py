"""The self-audit: compares a bounded sample of the topic `usage` with the tables.

Belongs here: which days can be audited, finding and reading the offsets on which the events of some
days lie. Not here: the comparison (`core.readings.audit`).
"""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
from confluent_kafka import Consumer, TopicPartition

from usage_platform.adapters.kafka.events import committed_reader, messages_between, raw_frame
from usage_platform.adapters.kafka.topics import (
    USAGE,
    KafkaSettings,
    offset_ranges,
    partitions_of,
    positions_at,
)
from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.limits import EventLimits
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.audit import (
    COMPARED_HOURLY,
    REJECT_COLUMNS,
    Audit,
    Stretch,
    TopicSample,
    audit,
    received_between,
)
from usage_platform.core.readings.validation import READING_COLUMNS
from usage_platform.core.time.units import NS_A_MILLISECOND
from usage_platform.services.topic_progress import ingested_offsets

MOST_EVENTS_A_DAY = 100_000
"""A bound for days with a correction that came months later: they span the whole topic."""

_Spans = dict[int, tuple[int, int]]


def days_with_rows(reader: LakeReader) -> frozenset[date]:
    """The UTC dates that have readings, hours or rejects, by the tables' logs alone.

    A day whose readings were lost still has its hours. Rejects count on the day they arrived.

    Raises:
        LakeError: When a table cannot be read.
    """
    none: frozenset[date] = frozenset()
    return none.union(
        *(reader.day_files(table).files for table in (READINGS, USAGE_HOURLY, REJECTS))
    )


def audit_days(
    reader: LakeReader, kafka: KafkaSettings, registry: MeterRegistry, days: Sequence[date]
) -> Audit:
    """Compare some UTC days in the tables with the events on the topic.

    No micro-batch may run meanwhile.

    Args:
        reader: The lake's tables, which must exist.
        kafka: The brokers.
        registry: The known meters.
        days: The days.

    Raises:
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker refuses, or is silent for too long.
    """
    received = _received(reader)
    with committed_reader(kafka, "usage-platform-audit") as client:
        bounds = _bounds(client, kafka)
        spans = [_offsets(client, received_between(received, day), bounds) for day in days]
        by_day = [_events(client, span, registry.limits) for span in spans]
    sample = TopicSample(
        events=pd.concat(by_day, ignore_index=True).drop_duplicates(["partition", "offset"]),
        stretches=pd.DataFrame(
            [(p, start, end) for span in spans for p, (start, end) in span.items()],
            columns=["partition", "start", "end"],
        ),
        retained={p: low for p, (low, _) in bounds.items()},
        ends={p: high for p, (_, high) in bounds.items()},
        ingested=ingested_offsets(reader.lake, kafka, USAGE),
    )
    return audit(
        sample,
        pd.concat([reader.rows(READINGS, READING_COLUMNS, day, day) for day in days]),
        pd.concat([reader.rows(USAGE_HOURLY, COMPARED_HOURLY, day, day) for day in days]),
        _rejects(reader, [events["kafka_time"] for events in by_day if len(events)]),
        days,
        registry,
        AdmittedMeters(reader.lake).known,
    )


def _received(reader: LakeReader) -> pd.DataFrame:
    rows = reader.query_rows(
        "SELECT event_date AS day, min(kafka_time) AS first, max(kafka_time) AS last "
        "FROM readings GROUP BY event_date"
    )
    return pd.DataFrame(rows, columns=["day", "first", "last"])


def _bounds(client: Consumer, kafka: KafkaSettings) -> _Spans:
    return offset_ranges(client, partitions_of(client, kafka, USAGE))


def _offsets(client: Consumer, stretch: Stretch, bounds: Mapping[int, tuple[int, int]]) -> _Spans:
    """The bounded offsets of a stretch of time on each partition, the end exclusive."""
    most = MOST_EVENTS_A_DAY // max(len(bounds), 1)
    starts = {p: low for p, (low, _) in bounds.items()}
    ends = {p: high for p, (_, high) in bounds.items()}
    if stretch.start is not None:
        starts = _at(client, stretch.start, ends)
    if stretch.end is not None:
        ends = _at(client, stretch.end + pd.Timedelta(milliseconds=1), ends)
    return {p: (start, min(ends[p], start + most)) for p, start in starts.items()}


def _at(client: Consumer, instant: pd.Timestamp, ends: Mapping[int, int]) -> dict[int, int]:
    """The first offset of each partition that the broker appended at an instant or later."""
    partitions = [TopicPartition(USAGE, p) for p in ends]
    offsets = positions_at(client, partitions, instant.value // NS_A_MILLISECOND)
    return {p.partition: p.offset if p.offset >= 0 else ends[p.partition] for p in offsets}


def _events(
    client: Consumer, span: Mapping[int, tuple[int, int]], limits: EventLimits
) -> pd.DataFrame:
    starts = {p: start for p, (start, _) in span.items()}
    ends = {p: end for p, (_, end) in span.items()}
    return raw_frame(messages_between(client, USAGE, starts, ends), limits.event_bytes)


def _rejects(reader: LakeReader, times: Sequence[pd.Series]) -> pd.DataFrame:
    """The rejects of the days on which events were received."""
    days = [(of_one.min().date(), of_one.max().date()) for of_one in times]
    parts = [reader.rows(REJECTS, REJECT_COLUMNS, first, last) for first, last in days]
    if not parts:
        return pd.DataFrame(columns=REJECT_COLUMNS)
    rejects = pd.concat(parts).drop_duplicates(REJECT_COLUMNS[:-1])
    return rejects[rejects["topic"] == USAGE]
