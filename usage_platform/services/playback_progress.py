"""How far a source was played onto the topic: from the record, and from the topic behind it.

Belongs here: what counts as played when the source grew, changed or was only touched, when the
topic is another one, and when a run was killed. Not here: which readings remain (`playback_plan`).

The record is written when a run begins and when it ends. What a killed run published after that is
found on the topic, which is read from the record's offsets on and not from its beginning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from usage_platform.adapters.kafka.playback_position import PlayedEvents, played_since
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings, end_offsets
from usage_platform.adapters.stores.playback_record import PlaybackRecord, PlaybackRecords
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.pacing import digest_until

Last = dict[str, pd.Timestamp]
_OTHER_TOPIC = (
    f"topic {USAGE}: it was created again, or is on another cluster, since the source was played, "
    "so that all of it is played again; readings that are in the tables already stay as they are"
)


@dataclass(frozen=True)
class SourceIdentity:
    """What identifies a source.

    Attributes:
        name: The same for as long as the settings are; marks its events.
        version: Its content: another one when a file grew or changed, the same when it was touched.
        former: The mark of its events by former versions of the platform; empty if there is none.
    """

    name: str
    version: str
    former: str = ""


@dataclass(frozen=True)
class Played:
    """What counts as played.

    Attributes:
        last: Each meter's newest played reading, UTC instants.
        notice: What is to be reported, in one line; empty if nothing is.
        topic_id: The id of the topic that it was looked up on.
    """

    last: Last
    notice: str = ""
    topic_id: str = ""


def remembered(records: PlaybackRecords, kafka: KafkaSettings, source: SourceIdentity) -> Last:
    """Each meter's newest played reading by the record alone, however long the topic is.

    Empty when the record is of another content or another topic: a run finds out what counts.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    record = records.read(source.name)
    if record is None or record.version != source.version:
        return {}
    return _instants(record) if record.topic_id == topic_id(kafka, USAGE) else {}


def look_up(
    records: PlaybackRecords,
    kafka: KafkaSettings,
    source: SourceIdentity,
    loaded: pd.DataFrame,
    registry: MeterRegistry,
) -> Played:
    """What was played of a source, and record it; called under the lease on playback.

    Args:
        records: The records.
        kafka: The brokers.
        source: The source.
        loaded: Its readings now: `meter`, `ts`, `value`; sorted by ts, then meter.
        registry: The known meters.

    Raises:
        KafkaUnreachableError: When no broker answers.
        KafkaException: When the broker refuses, or is silent for too long.
    """
    record = records.read(source.name)
    topic = topic_id(kafka, USAGE) or ""
    is_other_topic = record is not None and record.topic_id != topic
    starts = {} if record is None or is_other_topic else record.offsets
    names = [name for name in (source.name, source.former) if name]
    found = played_since(kafka, names, starts, registry)
    # A run that began on the topic before may have gone on here: what it played before is missing.
    played = Played({}, _OTHER_TOPIC) if is_other_topic else _counted(record, source, found, loaded)
    _write(records, source, topic, found.ends, played.last, loaded)
    return replace(played, topic_id=topic)


def keep_end(
    records: PlaybackRecords,
    kafka: KafkaSettings,
    source: SourceIdentity,
    loaded: pd.DataFrame,
    played: Played,
) -> None:
    """Record what was played when a run has ended, with all of it acknowledged.

    It counts for the topic that the run began on, which may have been created again meanwhile.

    Args:
        records: The records.
        kafka: The brokers.
        source: The source.
        loaded: As for `look_up`.
        played: What was played before the run, and in it.
    """
    ends = {partition: end for partition, (_, end) in end_offsets(kafka, USAGE).items()}
    _write(records, source, played.topic_id, ends, played.last, loaded)


def _counted(
    record: PlaybackRecord | None,
    source: SourceIdentity,
    found: PlayedEvents,
    loaded: pd.DataFrame,
) -> Played:
    if record is None:
        return Played(found.last)
    before = _instants(record)
    if record.version == source.version:
        return Played(_newer(before, found.last))
    # What a killed run of the former content published behind the record is played again.
    if digest_until(loaded, before) == record.digest:
        return Played(before)
    return Played(
        {}, "the source changed before its last played reading, so that all of it is played again"
    )


def _newer(one: Mapping[str, pd.Timestamp], other: Mapping[str, pd.Timestamp]) -> Last:
    return {m: max(t for t in (one.get(m), other.get(m)) if t) for m in {*one, *other}}


def _instants(record: PlaybackRecord) -> Last:
    return {meter: pd.Timestamp(ts) for meter, ts in record.last.items()}


def _write(
    records: PlaybackRecords,
    source: SourceIdentity,
    topic: str,
    ends: dict[int, int],
    last: Mapping[str, pd.Timestamp],
    loaded: pd.DataFrame,
) -> None:
    texts = {meter: ts.isoformat() for meter, ts in last.items()}
    digest = digest_until(loaded, last)
    records.write(source.name, PlaybackRecord(source.version, topic, ends, texts, digest))
