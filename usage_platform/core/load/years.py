"""A year over the year before, by days of the same weekday.

Belongs here: which days are beside each other, and what differs between them. Not here: weeks
(`weeks`), reading hours (`services.year_comparison`).

Each day is beside the day 52 weeks (364 days) before, which has the same weekday: 2024-03-05, a
Tuesday, beside Tuesday 2023-03-07. By date, working days would stand beside weekends. Two days are
compared if both have nearly all of their readings; an hour belongs to the local day in which it
begins. Holidays that move are not aligned.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.load.comparison import ENOUGH
from usage_platform.core.meters import Meter
from usage_platform.core.time.day_numbers import day_number, day_of
from usage_platform.core.time.local_time import expected_readings
from usage_platform.core.time.units import NS_A_DAY

DAYS_APART = 364
_WEEK, _MONDAY = 7, 3  # Day 0, 1970-01-01, was a Thursday.


@dataclass(frozen=True, eq=False)
class HourlyEnergy:
    """The hours of a meter.

    Attributes:
        meter: The meter.
        instants: int64, shape (n,): starts, ns since 1970 UTC, ascending.
        energy_kwh: float64, shape (n,): energy of the readings that are there; of a volume its
            m3.
        readings: int64, shape (n,): how many there are.
    """

    meter: Meter
    instants: Ints
    energy_kwh: Floats
    readings: Ints


@dataclass(frozen=True, eq=False)
class YearComparison:
    """A calendar year up to its last day with readings, over the days 52 weeks before.

    Attributes:
        first_day: The first of January, in days since 1970-01-01.
        energy_kwh: float64, shape (days,): energy of each local day; NaN without a reading.
        before_kwh: The same of the day 364 days before.
        is_compared: bool, shape (days,): whether both days have nearly all of their readings.
    """

    first_day: int
    energy_kwh: Floats
    before_kwh: Floats
    is_compared: npt.NDArray[np.bool_]

    @property
    def difference_kwh(self) -> float:
        """Energy of the compared days less that of the days before them."""
        return float((self.energy_kwh - self.before_kwh)[self.is_compared].sum())

    @property
    def compared_kwh(self) -> float:
        """Energy of the compared days."""
        return float(self.energy_kwh[self.is_compared].sum())

    @property
    def compared_before_kwh(self) -> float:
        """Energy of the days that they are compared with."""
        return float(self.before_kwh[self.is_compared].sum())

    def by_week(self) -> tuple[Ints, Floats, Floats]:
        """The compared days added up by week.

        Returns:
            Shape (weeks,): the Mondays in days since 1970-01-01, the energy of the compared days of
            each week, and that of the days before them, kWh; NaN for a week without such a day.
        """
        day = self.first_day + np.arange(len(self.energy_kwh))
        week = (day + _MONDAY) // _WEEK
        row = week - week[0]
        count = np.bincount(row[self.is_compared], minlength=int(row[-1]) + 1)
        this, before = (
            np.where(
                count > 0,
                np.bincount(
                    row[self.is_compared], kwh[self.is_compared], minlength=int(row[-1]) + 1
                ),
                np.nan,
            )
            for kwh in (self.energy_kwh, self.before_kwh)
        )
        return np.unique(week) * _WEEK - _MONDAY, this, before


def compare_years(hours: HourlyEnergy, year: int) -> YearComparison | None:
    """A year over the days 52 weeks before; None where the year has no hour.

    Args:
        hours: The meter's hours from a day before `first_needed` on.
        year: The local calendar year.
    """
    first = day_number(date(year, 1, 1))
    end = day_number(date(year + 1, 1, 1))
    local = pd.DatetimeIndex(hours.instants).tz_localize("UTC").tz_convert(hours.meter.zone)
    day = local.tz_localize(None).as_unit("ns").asi8 // NS_A_DAY
    of_year = day[(day >= first) & (day < end)]
    if not len(of_year):
        return None
    count = int(of_year[-1]) - first + 1
    this, before = (_days(hours, day, begin, count) for begin in (first, first - DAYS_APART))
    return YearComparison(first, this[0], before[0], this[1] & before[1])


def first_needed(year: int) -> date:
    """The first local day that the comparison of a year needs."""
    return day_of(day_number(date(year, 1, 1)) - DAYS_APART)


def _days(
    hours: HourlyEnergy, day: Ints, first: int, count: int
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Energy of local days, and whether each has nearly all of its readings."""
    inside = (day >= first) & (day < first + count)
    row = day[inside] - first
    readings = np.bincount(row, hours.readings[inside], minlength=count)
    energy = np.bincount(row, hours.energy_kwh[inside], minlength=count)
    meter = hours.meter
    expected = np.array(
        [
            expected_readings(day_of(first + n), meter.timezone, meter.interval_minutes)
            for n in range(count)
        ]
    )
    return np.where(readings > 0, energy, np.nan), readings >= ENOUGH * expected
