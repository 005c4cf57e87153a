"""A meter over the months: from the hourly table, by local days and months.

Belongs here: what the profile report compares a month with. Not here: the month itself (`profile`).
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.core.load.hourly_amounts import hourly_amounts
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import expected_readings

MONTHS = 13
"""A month, the twelve before it, and with them the same month a year ago."""


def first_of_seasons(month: date) -> date:
    """The first day of the oldest month that a month is compared with."""
    return date(month.year - 1, month.month, 1)


def daily_means(hours: pd.DataFrame, meter: Meter) -> pd.DataFrame:
    """Mean power and extremes of each local day.

    Args:
        hours: The meter's rows of `usage_hourly`; at least one.
        meter: Gives the time zone.

    Returns:
        `day` (datetime64, local midnight without a zone; all days from the first to the last),
        `mean`, `low`, `high` in kW: mean of the hours, lowest and highest reading; NaN on a day
        without hours.
    """
    by_day = hours.assign(day=_local(hours, meter).dt.normalize()).groupby("day")
    found = pd.DataFrame(
        {
            "mean": by_day["avg_usage"].mean(),
            "low": by_day["min_usage"].min(),
            "high": by_day["max_usage"].max(),
        }
    )
    return found.asfreq("D").rename_axis("day").reset_index()


def monthly(hours: pd.DataFrame, meter: Meter) -> pd.DataFrame:
    """Each local month in figures.

    Args:
        hours: The meter's rows of `usage_hourly`.
        meter: Gives the time zone and the interval.

    Returns:
        `month` (its first day, date), `energy_kwh` (of a volume its m3), `mean_kw`, `peak_kw`,
        `completeness` (share of the whole month's readings that came); by month.
    """
    start = _local(hours, meter).dt.to_period("M").dt.start_time
    by_month = hours.assign(start=start, amount=hourly_amounts(hours, meter)).groupby("start")
    months = [at.date() for at in sorted(set(start))]
    whole = np.array([_readings_of_month(first, meter) for first in months])
    return pd.DataFrame(
        {
            "month": months,
            "energy_kwh": by_month["amount"].sum().to_numpy(),
            "mean_kw": by_month["avg_usage"].mean().to_numpy(),
            "peak_kw": by_month["max_usage"].max().to_numpy(),
            "completeness": by_month["n"].sum().to_numpy() / whole,
        }
    )


def _readings_of_month(first: date, meter: Meter) -> int:
    after = (first + timedelta(days=31)).replace(day=1)
    days = pd.date_range(first, after, inclusive="left").date
    return sum(expected_readings(day, meter.timezone, meter.interval_minutes) for day in days)


def _local(hours: pd.DataFrame, meter: Meter) -> pd.Series:
    return hours["start"].dt.tz_convert(meter.timezone).dt.tz_localize(None)
