"""Rows of `usage_hourly` that are no hours of their meter's clock: replaced by those that are.

Belongs here: finding such rows, recomputing their hours from `readings`, and deleting them. Not
here: the rule (`core.readings.meter_hours`).

Versions before this one cut hours by UTC in every zone; and a meter may get another zone in
`meters.yaml`. The rows themselves show it: they do not begin where an hour of the meter's clock
begins. They are deleted after the hours in their place are merged, so that work that was cut short
is found and done again.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from usage_platform.adapters.lake.day_stretches import day_stretches
from usage_platform.adapters.lake.hours_table import merge_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_writer import delete_rows
from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake, LakeTable
from usage_platform.adapters.lake.touched_readings import readings_of_hours
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import audited_hours
from usage_platform.core.readings.meter_hours import are_hours, hour_starts

# About twelve times as many readings are in memory.
_ROWS_AT_ONCE = 100_000
_HOUR, _AN_INSTANT = pd.Timedelta(hours=1), pd.Timedelta(1, "ns")


def replace_former_hours(
    lake: Lake, registry: MeterRegistry, written: pd.DataFrame, newest: pd.Series
) -> None:
    """Replace all such rows of the meters that have any; without one nothing is read.

    Args:
        lake: The lake.
        registry: Gives each meter's interval and time zone.
        written: From `newest_hours.newest_hours`.
        newest: Each meter's newest reading in `usage_hourly` (index meter, datetime64[ns, UTC]).

    Raises:
        LakeError: When a table cannot be read or written.
    """
    meters = written["meter"]
    are_right = are_hours(written["first_start"], meters, registry) & are_hours(
        written["last_start"], meters, registry
    )
    if are_right.all():
        return
    names = sorted(set(meters[~are_right]))
    reader = LakeReader(lake)
    days = sorted(reader.day_files(USAGE_HOURLY).files)
    for first, last in day_stretches(reader, USAGE_HOURLY, days, _ROWS_AT_ONCE):
        former = former_hours(reader, USAGE_HOURLY, registry, names, first, last)
        if former.empty:
            continue
        ends = [former["start"], former["start"] + _HOUR - _AN_INSTANT]
        parts = [
            pd.DataFrame(
                {"meter": former["meter"], "start": hour_starts(at, former["meter"], registry)}
            )
            for at in ends
        ]
        hours = pd.concat(parts).drop_duplicates(ignore_index=True)
        merge_hours(
            lake, audited_hours(readings_of_hours(reader, hours, registry), registry, newest)
        )
        delete_rows(lake, USAGE_HOURLY, former, ("meter", "start"))


def delete_former_hours(
    lake: Lake,
    table: LakeTable,
    registry: MeterRegistry,
    meters: Sequence[str],
    first: date,
    last: date,
) -> None:
    """Delete such rows of some days, once the hours in their place are there.

    Args:
        lake: The lake.
        table: A table with a row an hour.
        registry: Gives each meter's time zone.
        meters: Names of the meters.
        first: The first UTC day.
        last: The last UTC day, inclusive.

    Raises:
        LakeError: When the table cannot be read or written.
    """
    former = former_hours(LakeReader(lake), table, registry, meters, first, last)
    if not former.empty:
        delete_rows(lake, table, former, ("meter", "start"))


def former_hours(
    reader: LakeReader,
    table: LakeTable,
    registry: MeterRegistry,
    meters: Sequence[str],
    first: date,
    last: date,
) -> pd.DataFrame:
    """The rows of some days and meters that are no hours of their meter's clock.

    Args:
        reader: The lake's tables.
        table: A table with a row an hour.
        registry: Gives each meter's time zone.
        meters: Names of the meters.
        first: The first UTC day.
        last: The last UTC day, inclusive.

    Returns:
        `meter`, `start`, `event_date`.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    rows = reader.rows(table, ["meter", "start"], first, last, meters)
    former = rows[~are_hours(rows["start"], rows["meter"], registry)]
    return former.assign(event_date=former["start"].dt.date)
