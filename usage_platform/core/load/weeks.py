"""A week over the weeks before it, on the building's wall clock.

Belongs here: where in the week a reading lies, and what was usual there. Not here: a day or a week
as one number (`comparison`), years (`years`).

A week begins on Monday at the local midnight. The hour that the clocks skip in spring has no
reading (the week has 167 hours); of the hour that comes twice in autumn (169 hours) the line shows
the mean of both, and the energy has both.
"""

from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.load.comparison import ENOUGH
from usage_platform.core.load.days import day_of
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import INTERVALS
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_AN_HOUR

WEEKS_BEFORE = (4, 8)
"""How many weeks a week may be compared with."""

_DAYS = 7
_MINUTES_A_DAY = 1440
_SHORTEST_STEP = 15
_MONDAY = 3  # Day 0, 1970-01-01, was a Thursday.


@dataclass(frozen=True)
class WeekTotal:
    """One local week.

    Attributes:
        monday: Its first local day, in days since 1970-01-01.
        hours: Its length on the clock, 168 without a clock change.
        energy_kwh: Energy of the readings that are there.
        to_date_kwh: The same up to the time of the week that the newest week has reached.
        readings: How many there are.
        expected_readings: How many a complete week holds.
        is_compared: Whether it has enough readings to say what is usual; the newest week is not
            compared with itself.
    """

    monday: int
    hours: float
    energy_kwh: float
    to_date_kwh: float
    readings: int
    expected_readings: int
    is_compared: bool


@dataclass(frozen=True, eq=False)
class WeeksComparison:
    """The newest week over the weeks before.

    Attributes:
        step_minutes: Length of a step of the week; the steps count from Monday 00:00 on the wall
            clock.
        power: float64, shape (steps,): the newest week's mean power, kW; NaN where there is none.
        low: The same: the lowest of the compared weeks; NaN where none has a reading.
        high: Their highest.
        usual: Their median.
        weeks: All weeks, the oldest first and the newest last.
        usual_kwh: Median of the compared weeks' energy up to the same time of the week; NaN without
            such a week.
    """

    step_minutes: int
    power: Floats
    low: Floats
    high: Floats
    usual: Floats
    weeks: tuple[WeekTotal, ...]
    usual_kwh: float


def compare_weeks(series: PowerSeries, before: int) -> WeeksComparison | None:
    """The week of the last reading over the weeks before it; None without a reading.

    Args:
        series: The readings.
        before: How many weeks before are looked at.
    """
    if not len(series):
        return None
    minute = (series.local_day + _MONDAY) % _DAYS * _MINUTES_A_DAY + series.local_minute
    week = (series.local_day + _MONDAY) // _DAYS
    newest = int(week[-1])
    row = week - (newest - before)
    is_shown = row >= 0
    minutes = _step_minutes(series.meter.interval_minutes)
    steps = _DAYS * _MINUTES_A_DAY // minutes
    table = _means(
        row[is_shown] * steps + minute[is_shown] // minutes,
        series.values[is_shown],
        (before + 1, steps),
    )
    totals = _totals(series, row, minute, newest, before)
    compared = table[[total.is_compared for total in totals]]
    usual = [total.to_date_kwh for total in totals if total.is_compared]
    low, high, median = _bands(compared)
    return WeeksComparison(
        minutes,
        table[-1],
        low,
        high,
        median,
        totals,
        float(np.median(usual)) if usual else float("nan"),
    )


def _step_minutes(interval: int) -> int:
    """A quarter of an hour, or the next longer step that holds whole intervals."""
    return next(
        step for step in INTERVALS if step >= max(interval, _SHORTEST_STEP) and step % interval == 0
    )


def _means(at: Ints, values: Floats, shape: tuple[int, int]) -> Floats:
    size = shape[0] * shape[1]
    counts = np.bincount(at, minlength=size)
    sums = np.bincount(at, weights=values, minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).reshape(shape)


def _totals(
    series: PowerSeries, row: Ints, minute: Ints, newest: int, before: int
) -> tuple[WeekTotal, ...]:
    is_shown = row >= 0
    so_far = is_shown & (minute <= minute[-1])
    counts = np.bincount(row[is_shown], minlength=before + 1)
    energy, to_date = (
        np.bincount(row[part], weights=series.values[part], minlength=before + 1) * series.hours
        for part in (is_shown, so_far)
    )
    totals: list[WeekTotal] = []
    for n in range(before + 1):
        monday = (newest - before + n) * _DAYS - _MONDAY
        zone = series.meter.timezone
        start = local_day_bounds(day_of(monday), zone)[0]
        end = local_day_bounds(day_of(monday + _DAYS), zone)[0]
        expected = (end.value - start.value) // series.interval_ns
        totals.append(
            WeekTotal(
                monday=monday,
                hours=(end.value - start.value) / NS_AN_HOUR,
                energy_kwh=float(energy[n]),
                to_date_kwh=float(to_date[n]),
                readings=int(counts[n]),
                expected_readings=expected,
                is_compared=n < before and bool(counts[n] >= ENOUGH * expected),
            )
        )
    return tuple(totals)


def _bands(weeks: Floats) -> tuple[Floats, Floats, Floats]:
    """The lowest, the highest and the median of each step; NaN where no week has it."""
    low, high, usual = (np.full(weeks.shape[1], np.nan) for _ in range(3))
    if len(weeks):
        known = np.isfinite(weeks).any(axis=0)
        low[known] = np.nanmin(weeks[:, known], axis=0)
        high[known] = np.nanmax(weeks[:, known], axis=0)
        usual[known] = np.nanmedian(weeks[:, known], axis=0)
    return low, high, usual
