"""Restores the state of a scorer that starts: consumed readings and published anomalies.

Belongs here: rebuilding the state from the lake and the topics. Not here: using it
(`core.anomalies.stream`), the transactions (`score`).

The lake may be ahead of the scorer or behind it: readings of events that were not consumed yet are
left out, and consumed events that are not in the lake yet are read from the topic again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pandas as pd
from confluent_kafka import Consumer, Message

from usage_platform.adapters.kafka.consuming import message_portions
from usage_platform.adapters.kafka.events import (
    committed_reader,
    messages_between,
    raw_frame,
)
from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings, offset_ranges, partitions_of
from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.readings_by_meter import readings_by_meter
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.processes.freed_memory import return_freed_memory
from usage_platform.core.anomalies.published_past import PublishedPast
from usage_platform.core.anomalies.stream import RETENTION, ScorerState
from usage_platform.core.detector.model_timeline import LOOK_BACK
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.validation import Admit, newest_per_reading, validate_events
from usage_platform.services.score_homes import EVERY_METER, homes_of_meters
from usage_platform.services.score_published import published_past
from usage_platform.services.topic_progress import ingested_offsets

_COLUMNS = ["meter", "event_time", "value"]
_FIRST_EVENTS = 100
_LAST_OFFSETS = 20
_PORTION = 50_000
# Four topics are read to their ends, one after the other, before the first event is scored.
_FETCH_WAIT_MS = 50


def restored(
    kafka: KafkaSettings,
    reader: LakeReader,
    registry: MeterRegistry,
    consumed: Mapping[int, int],
    owns: Callable[[int], bool] | None = None,
) -> tuple[ScorerState, Mapping[str, int]]:
    """The state of a scorer that has consumed the topic `usage` up to some offsets.

    Args:
        kafka: The brokers.
        reader: The lake's tables.
        registry: The known meters.
        consumed: One past the last consumed offset of each partition, whichever scorer consumed it.
            The caller keeps updating it, so that late readings get a past that was consumed.
        owns: Whether a partition is this scorer's; None where it is the only scorer.

    Returns:
        The state without the meters of other scorers; and these, each with the partition in which
        its newest event is.
    """
    with _reader_of_past(kafka) as client:
        first = raw_frame(_first_messages(client, kafka))
        scored = _Scored(consumed, first["kafka_time"].min())
        admitted = AdmittedMeters(reader.lake).known
        if any(consumed.values()):
            # Before the rows: the lake then holds all events before these offsets.
            ingested = ingested_offsets(reader.lake, kafka, USAGE)
            # At least the last events of each partition, which give the event time of the scorer;
            # of these offsets some may be markers of transactions.
            starts = {
                p: min(ingested.get(p, 0), max(end - _LAST_OFFSETS, 0))
                for p, end in consumed.items()
                if end > 0
            }
            tail = _unstored(messages_between(client, USAGE, starts, consumed), registry, admitted)
            newest = tail["event_time"].max()
        else:
            readings = validate_events(first, registry, admitted).readings
            tail, newest = readings.iloc[:0], readings["event_time"].min()
        since = _start_of_history(reader, scored, newest)
        homes = EVERY_METER
        if owns is not None and since is not None:
            homes = homes_of_meters(reader, since, scored.topic_began, tail, owns)
        others, floor = homes.others, 0 if since is None else since.value
        memory = ScorerState(_Past(kafka, reader, scored))
        memory.add_published_past(
            published_past(
                client,
                kafka,
                lambda meter: None if meter in others else floor,
                floor,
                all_open=True,
            )
        )
    if since is not None:
        _restore_history(memory, registry, reader, scored, since, homes.own)
        rest = homes.without_others(tail)
        memory.history.add(rest[_COLUMNS])
        memory.silence.add(rest, registry)
        # As it was read, the history took three times the memory that it takes now.
        return_freed_memory()
    return memory, homes.others


def _unstored(messages: Iterable[Message], registry: MeterRegistry, admit: Admit) -> pd.DataFrame:
    """The readings among events that the lake may not have yet, without holding all messages."""
    frames = map(raw_frame, message_portions(messages, _PORTION))
    readings = [validate_events(frame, registry, admit).readings for frame in frames]
    if not readings:
        return validate_events(raw_frame([]), registry, admit).readings
    return newest_per_reading(pd.concat(readings))


def _reader_of_past(kafka: KafkaSettings) -> AbstractContextManager[Consumer]:
    return committed_reader(kafka, "anomaly-scorer-start", fetch_wait_ms=_FETCH_WAIT_MS)


@dataclass(frozen=True)
class _Scored:
    """Which events the scorer is past.

    Attributes:
        consumed: One past the last consumed offset of each partition; it may change meanwhile.
        topic_began: The broker's time of the oldest event on the topic. What the lake has from
            before it can come no more: it is of an older topic, or Kafka deleted it.
    """

    consumed: Mapping[int, int]
    topic_began: pd.Timestamp

    def among(self, rows: pd.DataFrame) -> pd.Series:
        """Whether each row of `partition`, `offset` and `kafka_time` is past."""
        ends = rows["partition"].map(dict(self.consumed)).fillna(0)
        return (rows["offset"] < ends) | (rows["kafka_time"] < self.topic_began)


@dataclass(frozen=True)
class _Past:
    """Reads what the scorer no longer holds (`core.anomalies.published_past.ScorerPast`)."""

    kafka: KafkaSettings
    reader: LakeReader
    scored: _Scored

    def readings(self, meter: str, first: int, end: int) -> pd.DataFrame:
        if not self.reader.exists(READINGS):
            return pd.DataFrame(columns=_COLUMNS)
        until = pd.Timestamp(end, tz="UTC")
        since = pd.Timestamp(first, tz="UTC")
        columns = [*_COLUMNS, "kafka_time", "partition", "offset"]
        rows = self.reader.rows(READINGS, columns, since.date(), until.date(), [meter])
        past = self.scored.among(rows) & rows["event_time"].between(since, until, inclusive="left")
        return rows.loc[past, _COLUMNS]

    def published(self, since: Mapping[str, int]) -> PublishedPast:
        with _reader_of_past(self.kafka) as client:
            return published_past(
                client, self.kafka, since.get, min(since.values()), all_open=False
            )


def _first_messages(client: Consumer, kafka: KafkaSettings) -> list[Message]:
    """The first events of each partition of `usage`; more than one, as one may be a reject."""
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for partition, (low, high) in offset_ranges(
        client, partitions_of(client, kafka, USAGE)
    ).items():
        starts[partition], ends[partition] = low, min(low + _FIRST_EVENTS, high)
    return list(messages_between(client, USAGE, starts, ends))


def _start_of_history(
    reader: LakeReader, scored: _Scored, newest: pd.Timestamp
) -> pd.Timestamp | None:
    """From when on readings are held; None where there are none.

    The last events may be history that is loaded now: the lake's newest reading counts as well, so
    that not all of it is held. Events of before are looked up where they need more.

    Args:
        reader: The lake's tables.
        scored: Which events are past.
        newest: The scorer's event time; NaT where its last events have none.
    """
    found = [] if pd.isna(newest) else [newest]
    if any(scored.consumed.values()):
        span = reader.span(READINGS, "event_time")
        found += [] if span is None else [span[1]]
    return max(found) - LOOK_BACK - RETENTION if found else None


def _restore_history(
    memory: ScorerState,
    registry: MeterRegistry,
    reader: LakeReader,
    scored: _Scored,
    since: pd.Timestamp,
    meters: Sequence[str] | None,
) -> None:
    """Fill the history with rows of the lake; what is on the topic only comes after them."""
    memory.floor = since.value
    if not reader.exists(READINGS):
        return

    def counts(rows: pd.DataFrame) -> pd.Series:
        return scored.among(rows) & (rows["event_time"] >= since)

    for meter, own in readings_by_meter(reader, since.date(), meters, counts):
        memory.history.add_of(meter, own.instants, own.values)
        memory.silence.add_of(meter, own.instants, own.arrived, registry)
