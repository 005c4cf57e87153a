"""Events of the topic `usage`, into `readings`, `rejects` and `usage_hourly`.

Belongs here: writing the events of a batch. Not here: what makes an event valid (`core.readings`),
Spark's batches (`adapters.spark.usage_batch`).

Each step is by key and may be repeated: running a batch again after a crash, or reading the whole
topic again after a lost checkpoint, changes nothing.
"""

from datetime import timedelta

import pandas as pd

from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.newest_hours import newest_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.rejects_table import merge_rejects
from usage_platform.adapters.lake.row_writer import any_differs, append_rows, merge_rows, new, old
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
_READING = ("meter", "event_time")
_NEWER_EVENT = (
    f"({new('kafka_time')} > {old('kafka_time')} OR {new('kafka_time')} = {old('kafka_time')} AND "
    f"({new('offset')} > {old('offset')} OR {new('offset')} = {old('offset')} AND "
    f"{new('partition')} > {old('partition')}))"
)
_HOUR = ("meter", "start")
_COMPARED = (
    *("avg_usage", "n", "expected_n", "min_usage", "max_usage", "energy_kwh", "is_final"),
    "unit",
    *AUDIT_COLUMNS,
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
    before = newest_before(lake, newest_in_batch, recent)
    _write_readings(lake, readings, before)
    # The hours come from the batch, not from the rows inserted: a batch that runs again after a
    # crash between the two commits inserts nothing and must still recompute the hours.
    hours = pd.concat([touched_hours(readings, registry), hours_to_close(before, registry)])
    hours = hours.drop_duplicates(["meter", "start"], ignore_index=True)
    newest = pd.concat([newest_in_batch, before]).groupby(level=0).max()
    merge_hours(lake, audited_hours(readings_of_hours(LakeReader(lake), hours), registry, newest))


def merge_hours(lake: Lake, hours: pd.DataFrame) -> None:
    """Merge rows into `usage_hourly`; equal rows do not change.

    Args:
        lake: The lake.
        hours: `core.readings.hourly.HOURLY_COLUMNS` and `AUDIT_COLUMNS`; an hour once.
    """
    rows = hours.assign(event_date=hours["start"].dt.date, rev=0)
    updates = {**{name: new(name) for name in _COMPARED}, "rev": f"{old('rev')} + 1"}
    merge_rows(lake, USAGE_HOURLY, rows, _HOUR, any_differs(_COMPARED), updates)


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
    hour_end = readings["event_time"].dt.floor("h") + pd.Timedelta(hours=1)
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
