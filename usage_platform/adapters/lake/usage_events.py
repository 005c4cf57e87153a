"""Events of the topic `usage`, into `readings`, `rejects` and `usage_hourly`.

Belongs here: writing the events of a batch. Not here: what makes an event valid (`core.readings`),
Spark's batches (`adapters.spark.usage_batch`), merging rows on executors
(`adapters.spark.executor_batch`, which takes rules and rows from here).

Each step is by key and may be repeated: running a batch again after a crash, or reading the whole
topic again after a lost checkpoint, changes nothing.
"""

from datetime import timedelta

import pandas as pd

from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.newest_hours import newest_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.rejects_table import merge_rejects
from usage_platform.adapters.lake.row_writer import (
    MergeRule,
    any_differs,
    append_rows,
    merge_rows,
    new,
    old,
)
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform.adapters.lake.touched_readings import is_any_there, readings_of_hours
from usage_platform.adapters.lake.written_intervals import check_expected
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import AUDIT_COLUMNS, WATERMARK, audited_hours
from usage_platform.core.readings.validation import (
    Batch,
    touched_hours,
    validate_events,
    with_intervals,
)

_LOOK_BACK = timedelta(days=7)
_NEWER_EVENT = (
    f"({new('kafka_time')} > {old('kafka_time')} OR {new('kafka_time')} = {old('kafka_time')} AND "
    f"({new('offset')} > {old('offset')} OR {new('offset')} = {old('offset')} AND "
    f"{new('partition')} > {old('partition')}))"
)
READING_MERGE = MergeRule(
    ("meter", "event_time"),
    # A newer event with an equal value still updates kafka_time and offset: an older event with
    # another value must not win later.
    _NEWER_EVENT,
    {
        **{name: new(name) for name in ("value", "kafka_time", "partition", "offset")},
        "rev": f"{old('rev')} + CASE WHEN {new('value')} = {old('value')} THEN 0 ELSE 1 END",
    },
)
_COMPARED = (
    *("avg_usage", "n", "expected_n", "min_usage", "max_usage", "energy_kwh", "is_final"),
    *AUDIT_COLUMNS,
)
HOUR_MERGE = MergeRule(
    ("meter", "start"),
    any_differs(_COMPARED),
    {**{name: new(name) for name in _COMPARED}, "rev": f"{old('rev')} + 1"},
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
    before = before_batch(lake, registry, readings)
    _write_readings(lake, readings, before)
    merge_hours(lake, hours_after_batch(lake, registry, readings, before))


def before_batch(lake: Lake, registry: MeterRegistry, readings: pd.DataFrame) -> pd.Series:
    """Each meter's newest reading before a batch, as from `newest_before`.

    Args:
        lake: The lake.
        registry: The known meters.
        readings: `core.readings.validation.READING_COLUMNS`, at least one row.

    Raises:
        LakeError: In one line, when a meter's hours in the lake have another interval.
    """
    newest_in_batch = readings.groupby("meter")["event_time"].max()
    since = readings["event_time"].min().date() - _LOOK_BACK
    recent = newest_hours(LakeReader(lake), newest_in_batch.index, since)
    check_expected(recent, registry)
    return newest_before(lake, newest_in_batch, recent)


def hours_after_batch(
    lake: Lake, registry: MeterRegistry, readings: pd.DataFrame, before: pd.Series
) -> pd.DataFrame:
    """The hours that a batch changes, computed from the table `readings`, which has its readings.

    Args:
        lake: The lake.
        registry: The known meters.
        readings: `meter`, `event_time` of the batch's readings.
        before: As from `before_batch`.

    Returns:
        As `merge_hours` takes them.
    """
    # The hours come from the batch, not from the rows inserted: a batch that runs again after a
    # crash between the two commits inserts nothing and must still recompute the hours.
    hours = pd.concat([touched_hours(readings, registry), hours_to_close(before, registry)])
    hours = hours.drop_duplicates(["meter", "start"], ignore_index=True)
    newest_in_batch = readings.groupby("meter")["event_time"].max()
    newest = pd.concat([newest_in_batch, before]).groupby(level=0).max()
    return audited_hours(readings_of_hours(LakeReader(lake), hours), registry, newest)


def merge_hours(lake: Lake, hours: pd.DataFrame) -> None:
    """Merge rows into `usage_hourly`; equal rows do not change.

    Args:
        lake: The lake.
        hours: `core.readings.hourly.HOURLY_COLUMNS` and `AUDIT_COLUMNS`; an hour once.
    """
    merge_rows(lake, USAGE_HOURLY, hour_rows(hours), *HOUR_MERGE)


def hour_rows(hours: pd.DataFrame) -> pd.DataFrame:
    """Hours, as `merge_hours` takes them, as rows of `usage_hourly`."""
    return hours.assign(event_date=hours["start"].dt.date, rev=0)


def newest_before(lake: Lake, newest: pd.Series, recent: pd.DataFrame | None = None) -> pd.Series:
    """Each meter's newest reading before this batch (index meter, UTC), by `usage_hourly`.

    The hours say it and not the readings: after a crash between the two, the hours must catch up. A
    meter's newest is nearly always within a week of the batch's, so the whole table is searched
    only for a meter that has no row there. Rows of other meters are never in memory.

    Args:
        lake: The lake.
        newest: Each meter's newest reading now (index meter, datetime64[ns, UTC]); not empty.
        recent: Their `newest_hours` of the last week or longer, if these are known.
    """
    reader = LakeReader(lake)
    if recent is None:
        recent = newest_hours(reader, newest.index, newest.min().date() - _LOOK_BACK)
    known = {*recent["meter"]}
    missing = [name for name in newest.index if name not in known]
    older = newest_hours(reader, missing, None) if missing else recent.iloc[:0]
    found = pd.concat([recent, older]).groupby("meter")["last_reading"].max()
    return found.reindex(newest.index).dropna()


def hours_to_close(before: pd.Series, registry: MeterRegistry) -> pd.DataFrame:
    """The hours that were open before these readings arrived and may be final after them.

    Args:
        before: As from `newest_before`.
        registry: The known meters.

    Returns:
        `meter`, `start`, `interval_minutes`, as `merge_hours` takes them.
    """
    parts = [
        pd.DataFrame({"meter": before.index, "start": before.dt.floor("h") - back}).reset_index(
            drop=True
        )
        for back in (pd.Timedelta(0), WATERMARK, 2 * WATERMARK)
    ]
    return with_intervals(pd.concat(parts, ignore_index=True), registry)


def _write_readings(lake: Lake, readings: pd.DataFrame, before: pd.Series) -> None:
    rows = reading_rows(readings, before)
    if not is_any_there(LakeReader(lake), readings):
        # Nobody else writes between the look and the commit.
        append_rows(lake, READINGS, rows)
        return
    merge_rows(lake, READINGS, rows, *READING_MERGE)


def reading_rows(readings: pd.DataFrame, before: pd.Series) -> pd.DataFrame:
    """Readings as rows of `readings`.

    Args:
        readings: `core.readings.validation.READING_COLUMNS`.
        before: As from `before_batch`.
    """
    hour_end = readings["event_time"].dt.floor("h") + pd.Timedelta(hours=1)
    closed_until = readings["meter"].map(before).astype("datetime64[ns, UTC]")
    return readings.assign(
        event_date=readings["event_time"].dt.date,
        late=(hour_end + WATERMARK <= closed_until),
        rev=0,
    )
