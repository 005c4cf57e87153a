"""A week over the weeks before it, on the building's wall clock.

Belongs here: where in the week a reading lies, and what was usual there. Not here: a day or a week
as one number (`comparison`), years (`years`).

A week begins on Monday at the local midnight. The hour that the clocks skip in spring has no
reading (the week has 167 hours); of the hour that comes twice in autumn (169 hours) the line shows
the mean of both, and the energy has both.
"""

from dataclasses import dataclass, replace

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.load.comparison import ENOUGH
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import INTERVALS
from usage_platform.core.time.day_numbers import day_of, weekday_numbers
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
        to_date_readings: How many there are up to that time of the week.
        due_readings: How many a complete week holds up to then.
        is_compared: Whether it has enough readings up to then to say what is usual; the newest week
            is not compared with itself.
    """

    monday: int
    hours: float
    energy_kwh: float
    to_date_kwh: float
    readings: int
    expected_readings: int
    to_date_readings: int
    due_readings: int
    is_compared: bool

    @property
    def has_enough(self) -> bool:
        """Whether nearly all readings up to that time of the week are there."""
        return self.to_date_readings >= ENOUGH * self.due_readings


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
            such a week, and where the newest week lacks readings.
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
    minute = _minute_of_week(series)
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
    usual = [one.to_date_kwh for one in totals if one.is_compared and totals[-1].has_enough]
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
    # Of an hour that comes twice, the second one may be the first by the wall clock.
    so_far = is_shown & ((minute <= minute[-1]) | (row == before))
    counts, to_date_counts = (
        np.bincount(row[part], minlength=before + 1) for part in (is_shown, so_far)
    )
    energy, to_date = (
        np.bincount(row[part], weights=series.values[part], minlength=before + 1) * series.hours
        for part in (is_shown, so_far)
    )
    totals: list[WeekTotal] = []
    for n in range(before + 1):
        monday = (newest - before + n) * _DAYS - _MONDAY
        slots = _slots(series, monday)
        of_slots = _minute_of_week(slots)
        is_due = slots.instants <= series.instants[-1] if n == before else of_slots <= minute[-1]
        total = WeekTotal(
            monday=monday,
            hours=_hours(series, monday),
            energy_kwh=float(energy[n]),
            to_date_kwh=float(to_date[n]),
            readings=int(counts[n]),
            expected_readings=len(slots),
            to_date_readings=int(to_date_counts[n]),
            due_readings=int(is_due.sum()),
            is_compared=False,
        )
        totals.append(replace(total, is_compared=n < before and total.has_enough))
    return tuple(totals)


def _bounds(series: PowerSeries, monday: int) -> tuple[int, int]:
    """Begin and end of a local week, ns since 1970 UTC."""
    first, end = (
        local_day_bounds(day_of(day), series.meter.timezone)[0].value
        for day in (monday, monday + _DAYS)
    )
    return first, end


def _hours(series: PowerSeries, monday: int) -> float:
    first, end = _bounds(series, monday)
    return (end - first) / NS_AN_HOUR


def _slots(series: PowerSeries, monday: int) -> PowerSeries:
    """The intervals of a complete week, each with a power of 0."""
    first, end = _bounds(series, monday)
    count = (end - first) // series.interval_ns
    instants = first + np.arange(count, dtype=np.int64) * series.interval_ns
    return PowerSeries.unscored(series.meter, instants, np.zeros(count))


def _minute_of_week(series: PowerSeries) -> Ints:
    """Shape (n,): minutes of each reading since its Monday 00:00, by the wall clock."""
    return weekday_numbers(series.local_day) * _MINUTES_A_DAY + series.local_minute


def _bands(weeks: Floats) -> tuple[Floats, Floats, Floats]:
    """The lowest, the highest and the median of each step; NaN where no week has it."""
    low, high, usual = (np.full(weeks.shape[1], np.nan) for _ in range(3))
    if len(weeks):
        known = np.isfinite(weeks).any(axis=0)
        low[known] = np.nanmin(weeks[:, known], axis=0)
        high[known] = np.nanmax(weeks[:, known], axis=0)
        usual[known] = np.nanmedian(weeks[:, known], axis=0)
    return low, high, usual
