"""Events of the topic `usage`, into `readings`, `rejects` and `usage_hourly`.

Belongs here: writing the events of a batch. Not here: what makes an event valid (`core.readings`),
Spark's batches (`adapters.spark.usage_batch`).

Each step is by key and may be repeated: running a batch again after a crash, or reading the whole
topic again after a lost checkpoint, changes nothing.
"""

from datetime import timedelta

import pandas as pd

from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.former_hours import replace_former_hours
from usage_platform.adapters.lake.hours_table import merge_hours
from usage_platform.adapters.lake.newest_hours import newest_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.rejects_table import merge_rejects
from usage_platform.adapters.lake.row_writer import append_rows, merge_rows, new, old
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.adapters.lake.touched_readings import is_any_there, readings_of_hours
from usage_platform.adapters.lake.written_intervals import check_expected
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import WATERMARK, audited_hours
from usage_platform.core.readings.meter_hours import hour_ends, hour_starts
from usage_platform.core.readings.validation import (
    Batch,
    touched_hours,
    validate_events,
    with_intervals,
)

_LOOK_BACK = timedelta(days=7)
_READING = ("meter", "event_time")
_NEWER_EVENT = (
    f"({new('kafka_time')} > {old('kafka_time')} OR {new('kafka_time')} = {old('kafka_time')} AND "
    f"({new('offset')} > {old('offset')} OR {new('offset')} = {old('offset')} AND "
    f"{new('partition')} > {old('partition')}))"
)


def apply_events(lake: Lake, registry: MeterRegistry, raw: pd.DataFrame) -> Batch:
    """Validate events and write them; nothing else writes to the three tables.

    Args:
        lake: The lake.
        registry: The known meters.
        raw: `core.readings.validation.RAW_COLUMNS`, at least one row; with the partition, offset
            and broker time that each event has on the topic, however late it is written.

    Returns:
        The readings and the rejects.
    """
    batch = validate_events(raw, registry, AdmittedMeters(lake).admit)
    if not batch.rejects.empty:
        merge_rejects(lake, batch.rejects)
    if not batch.readings.empty:
        _merge_readings_and_hours(lake, registry, batch.readings)
    return batch


def _merge_readings_and_hours(lake: Lake, registry: MeterRegistry, readings: pd.DataFrame) -> None:
    newest_in_batch = readings.groupby("meter")["event_time"].max()
    since = readings["event_time"].min().date() - _LOOK_BACK
    recent = newest_hours(LakeReader(lake), newest_in_batch.index, since)
    check_expected(recent, registry)
    written = _written_before(lake, newest_in_batch, recent)
    before = _newest_of(written, newest_in_batch)
    replace_former_hours(lake, registry, written, before)
    _write_readings(lake, registry, readings, before)
    # The hours come from the batch, not from the rows inserted: a batch that runs again after a
    # crash between the two commits inserts nothing and must still recompute the hours.
    hours = pd.concat([touched_hours(readings, registry), hours_to_close(before, registry)])
    hours = hours.drop_duplicates(["meter", "start"], ignore_index=True)
    newest = pd.concat([newest_in_batch, before]).groupby(level=0).max()
    found = readings_of_hours(LakeReader(lake), hours, registry)
    merge_hours(lake, audited_hours(found, registry, newest))


def newest_before(lake: Lake, newest: pd.Series) -> pd.Series:
    """Each meter's newest reading before this batch (index meter, UTC), by `usage_hourly`.

    The hours say it and not the readings: after a crash between the two, the hours must catch up. A
    meter's newest is nearly always within a week of the batch's, so the whole table is searched
    only for a meter that has no row there. Rows of other meters are never in memory.

    Args:
        lake: The lake.
        newest: Each meter's newest reading now (index meter, datetime64[ns, UTC]); not empty.
    """
    recent = newest_hours(LakeReader(lake), newest.index, newest.min().date() - _LOOK_BACK)
    return _newest_of(_written_before(lake, newest, recent), newest)


def _written_before(lake: Lake, newest: pd.Series, recent: pd.DataFrame) -> pd.DataFrame:
    """`newest_hours` of all meters: of the last week or longer, or else of the whole table."""
    known = {*recent["meter"]}
    missing = [name for name in newest.index if name not in known]
    older = newest_hours(LakeReader(lake), missing, None) if missing else recent.iloc[:0]
    return pd.concat([recent, older], ignore_index=True)


def _newest_of(written: pd.DataFrame, newest: pd.Series) -> pd.Series:
    return written.groupby("meter")["last_reading"].max().reindex(newest.index).dropna()


def hours_to_close(before: pd.Series, registry: MeterRegistry) -> pd.DataFrame:
    """The hours that were open before these readings arrived and may be final after them.

    Args:
        before: As from `newest_before`.
        registry: The known meters.

    Returns:
        `meter`, `start`, `interval_minutes`, as `merge_hours` takes them.
    """
    meters, at = pd.Series(before.index, dtype=object), before.reset_index(drop=True)
    parts: list[pd.DataFrame] = []
    # None before these three can be open: of hours that follow each other one at most is short.
    for _ in range(3):
        starts = hour_starts(at, meters, registry)
        parts.append(pd.DataFrame({"meter": meters, "start": starts}))
        at = starts - pd.Timedelta(1, "ns")
    return with_intervals(pd.concat(parts, ignore_index=True), registry)


def _write_readings(
    lake: Lake, registry: MeterRegistry, readings: pd.DataFrame, before: pd.Series
) -> None:
    meters = readings["meter"]
    hour_end = hour_ends(hour_starts(readings["event_time"], meters, registry), meters, registry)
    closed_until = readings["meter"].map(before).astype("datetime64[ns, UTC]")
    rows = readings.assign(
        event_date=readings["event_time"].dt.date,
        late=(hour_end + WATERMARK <= closed_until),
        rev=0,
    )
    if not is_any_there(LakeReader(lake), readings):
        # Nobody else writes between the look and the commit.
        append_rows(lake, READINGS, rows)
        return
    # A newer event with an equal value still updates kafka_time and offset: an older event with
    # another value must not win later.
    changed = f"CASE WHEN {new('value')} = {old('value')} THEN 0 ELSE 1 END"
    updates = {
        **{name: new(name) for name in ("value", "kafka_time", "partition", "offset")},
        "rev": f"{old('rev')} + {changed}",
    }
    merge_rows(lake, READINGS, rows, _READING, _NEWER_EVENT, updates)
