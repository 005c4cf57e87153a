"""Days of `usage_hourly` recomputed from `readings`, beside the live stream if need be.

Belongs here: which hours a backfill recomputes. Called on this machine and by a job on a cluster.
Not here: the statement for the hours (`adapters.spark.hourly_sql`).
"""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.day_stretches import day_stretches
from usage_platform.adapters.lake.former_hours import delete_former_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform.adapters.lake.usage_events import hours_to_close, newest_before
from usage_platform.adapters.lake.written_intervals import check_intervals
from usage_platform.adapters.spark.hourly_sql import recompute_hours
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.validation import touched_hours

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_BEGINNING = date(1970, 1, 1)
# Readings of so many rows are in memory, or those of one day.
_ROWS_AT_ONCE = 2_000_000


def recompute_range(
    spark: "SparkSession",
    lake: Lake,
    registry: MeterRegistry,
    first: date,
    last: date,
    progress: Callable[[str], None],
) -> int:
    """Recompute the hours of any number of days from `readings`, some days at a time.

    Args:
        spark: The session that may write to the lake.
        lake: The lake; missing tables are created.
        registry: Gives each meter's interval.
        first: The first UTC day.
        last: The last UTC day, inclusive.
        progress: Called with a line after each stretch of days.

    Returns:
        The number of hours of these days.
    """
    create_tables(lake)
    reader = LakeReader(lake)
    days = [day for day in sorted(reader.day_files(READINGS).files) if first <= day <= last]
    hours = 0
    for day, until in day_stretches(reader, READINGS, days, _ROWS_AT_ONCE):
        hours += recompute_days(spark, lake, registry, day, until)
        progress(f"recomputed {day} to {until}")
    return hours


def recompute_days(
    spark: "SparkSession", lake: Lake, registry: MeterRegistry, first: date, last: date
) -> int:
    """Recompute the hours of these days from `readings`; equal rows do not change.

    Args:
        spark: The session that may write to the lake.
        lake: The lake.
        registry: Gives each meter's interval.
        first: The first UTC day.
        last: The last UTC day, inclusive.

    Returns:
        The number of hours of these days.

    Raises:
        LakeError: When a meter's interval is not the one with which these days were computed.
    """
    readings = LakeReader(lake).rows(READINGS, ["meter", "event_time"], first, last)
    if readings.empty:
        return 0
    check_intervals(lake, registry, set(readings["meter"]), first, last)
    touched = touched_hours(readings, registry)
    # A batch that crashed after its readings closes the hours that are open when it runs again. The
    # backfill must close those that its own readings close.
    newest = readings.groupby("meter")["event_time"].max()
    before = newest_before(lake, newest)
    before = before[before < newest.reindex(before.index)]
    hours = pd.concat([touched, hours_to_close(before, registry)])
    recompute_hours(
        spark,
        lake,
        registry,
        hours.drop_duplicates(["meter", "start"], ignore_index=True),
        _BEGINNING,
    )
    names = sorted(set(readings["meter"]))
    delete_former_hours(lake, USAGE_HOURLY, registry, names, first, last)
    return len(touched)
