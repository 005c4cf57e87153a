"""Events of the topic `usage`, into `readings`, `rejects` and `usage_hourly`.

Belongs here: writing the events of a batch. Not here: what makes an event valid (`core.readings`),
Spark's batches (`adapters.spark.usage_batch`), merging rows on executors
(`adapters.spark.executor_batch`, which takes rules and rows from here).

Each step is by key and may be repeated: running a batch again after a crash, or reading the whole
topic again after a lost checkpoint, changes nothing.
"""

from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.former_hours import replace_former_hours
from usage_platform.adapters.lake.hours_table import merge_hours
from usage_platform.adapters.lake.newest_hours import newest_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.rejects_table import merge_rejects
from usage_platform.adapters.lake.row_writer import MergeRule, append_rows, merge_rows, new, old
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
    newest = readings.groupby("meter")["event_time"].max()
    before = before_batch(lake, registry, newest, readings["event_time"].min().date())
    _write_readings(lake, registry, readings, before)
    merge_hours(lake, hours_after_batch(lake, registry, readings, before))


def before_batch(lake: Lake, registry: MeterRegistry, newest: pd.Series, first: date) -> pd.Series:
    """Each meter's newest reading before a batch, as from `newest_before`.

    Hours of a former version or zone are replaced first (`former_hours`).

    Args:
        lake: The lake.
        registry: The known meters.
        newest: Each meter's newest reading in the batch (index meter, datetime64[ns, UTC]); not
            empty.
        first: The UTC day of the batch's oldest reading.

    Raises:
        LakeError: In one line, when a meter's hours in the lake have another interval or unit.
    """
    recent = newest_hours(LakeReader(lake), newest.index, first - _LOOK_BACK)
    check_expected(recent, registry)
    written = _written_before(lake, newest, recent)
    before = _newest_of(written, newest)
    replace_former_hours(lake, registry, written, before)
    return before


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
    return audited_hours(readings_of_hours(LakeReader(lake), hours, registry), registry, newest)


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
    rows = reading_rows(registry, readings, before)
    if not is_any_there(LakeReader(lake), readings):
        # Nobody else writes between the look and the commit.
        append_rows(lake, READINGS, rows)
        return
    merge_rows(lake, READINGS, rows, *READING_MERGE)


def reading_rows(
    registry: MeterRegistry, readings: pd.DataFrame, before: pd.Series
) -> pd.DataFrame:
    """Readings as rows of `readings`.

    Args:
        registry: Gives each meter's time zone.
        readings: `core.readings.validation.READING_COLUMNS`.
        before: As from `before_batch`.
    """
    meters = readings["meter"]
    hour_end = hour_ends(hour_starts(readings["event_time"], meters, registry), meters, registry)
    closed_until = meters.map(before).astype("datetime64[ns, UTC]")
    return readings.assign(
        event_date=readings["event_time"].dt.date,
        late=(hour_end + WATERMARK <= closed_until),
        rev=0,
    )
