"""A meter's year over the year before, from the hours of the lake.

Belongs here: which hours are read. Not here: comparing them (`core.load.years`).
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.load.hourly_amounts import AMOUNT_COLUMNS, hourly_amounts
from usage_platform.core.load.years import (
    DAYS_APART,
    HourlyEnergy,
    YearComparison,
    compare_years,
    first_needed,
)
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import instants_of

_A_DAY = timedelta(days=1)


def year_comparison(reader: LakeReader, meter: Meter, year: int | None) -> YearComparison | None:
    """A year of a meter over the days 52 weeks before.

    Args:
        reader: The lake's tables.
        meter: The meter.
        year: The local calendar year; None for that of the meter's newest hour.

    Returns:
        None where the year has no hour of the meter.

    Raises:
        LakeError: When the lake cannot be read.
    """
    days = reader.day_files(USAGE_HOURLY).files
    if not days:
        return None
    newest = max(days)
    chosen = _newest_year(reader, meter, newest) if year is None else year
    # East of Greenwich the newest UTC day reaches into the next local one.
    first, last = date(chosen, 1, 1), min(newest + _A_DAY, date(chosen, 12, 31))
    if last < first:
        return None
    # A local day reaches into the UTC days beside it.
    before = first_needed(chosen) - _A_DAY, last - timedelta(days=DAYS_APART) + _A_DAY
    columns = ["start", *AMOUNT_COLUMNS]
    parts = [
        reader.rows(USAGE_HOURLY, columns, *span, [meter.name])
        for span in _apart(before, (first - _A_DAY, last + _A_DAY))
    ]
    rows = pd.concat(parts, ignore_index=True).sort_values("start", ignore_index=True)
    hours = HourlyEnergy(
        meter,
        instants_of(rows["start"]),
        hourly_amounts(rows, meter),
        rows["n"].to_numpy(np.int64),
    )
    return compare_years(hours, chosen)


def _newest_year(reader: LakeReader, meter: Meter, newest: date) -> int:
    """The local year of the meter's newest hour, of the newest UTC day if it has no late hour."""
    starts = reader.rows(USAGE_HOURLY, ["start"], newest - _A_DAY, newest, [meter.name])["start"]
    if not len(starts):
        return newest.year
    return starts.max().tz_convert(meter.zone).year


def _apart(one: tuple[date, date], other: tuple[date, date]) -> list[tuple[date, date]]:
    """Two spans of days, or one where they touch, so that no day is read twice."""
    return [one, other] if one[1] < other[0] else [(one[0], other[1])]
