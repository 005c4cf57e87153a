"""A day beside the same weekday before, and a week beside the one before it.

Belongs here: comparisons that are fair: up to the same time of day, and against days that have
their readings. Not here: totals by day (`days`), a week over several before (`weeks`), years
(`years`).
"""

from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.load.series import PowerSeries

WEEKS_BACK = 4
"""How many of the same weekday a day is compared with: enough that one anomaly says little."""

ENOUGH = 0.9
"""A day or week is compared if it has at least this share of its readings."""

_WEEK = 7
_MINUTES_A_DAY = 1440


@dataclass(frozen=True, eq=False)
class DayComparison:
    """A local day so far, beside the same weekday of the weeks before, up to the same clock time.

    Attributes:
        day: The local day, in days since 1970-01-01.
        energy_kwh: Energy so far.
        usual_kwh: Median of the same weekdays' energy up to that time; NaN without such a day.
        days: How many such days there were.
        steps: float64, shape (intervals of a day,): the day's power by the wall clock, kW; NaN
            where there is none.
        usual_steps: The same: median of those weekdays.
    """

    day: int
    energy_kwh: float
    usual_kwh: float
    days: int
    steps: Floats
    usual_steps: Floats


@dataclass(frozen=True)
class WeekComparison:
    """Seven whole days and the seven before them.

    Attributes:
        energy_kwh: Energy of the newer seven.
        before_kwh: Energy of the older seven.
        is_whole: Whether both have nearly all their readings.
    """

    energy_kwh: float
    before_kwh: float
    is_whole: bool


def compare_day(series: PowerSeries) -> DayComparison | None:
    """The last reading's local day so far beside the same weekdays before; None without readings.

    A weekday before counts when it has at least nine in ten of the readings that a day has by that
    time of day.
    """
    if not len(series):
        return None
    per_day = _MINUTES_A_DAY // series.meter.interval_minutes
    day, step = series.local_day, series.local_minute // series.meter.interval_minutes
    today, now = int(day[-1]), int(step[-1])
    first = today - WEEKS_BACK * _WEEK
    recent = day >= first
    table = np.full((WEEKS_BACK * _WEEK + 1, per_day), np.nan)
    table[day[recent] - first, step[recent]] = series.values[recent]
    so_far = recent & (step <= now)
    energy = np.bincount(day[so_far] - first, weights=series.values[so_far], minlength=len(table))
    known = np.isfinite(table[:, : now + 1]).sum(axis=1) >= ENOUGH * (now + 1)
    like_today = known & (np.arange(len(table)) % _WEEK == 0)
    like_today[-1] = False
    usual = energy[like_today] * series.hours
    return DayComparison(
        day=today,
        energy_kwh=float(energy[-1]) * series.hours,
        usual_kwh=float(np.median(usual)) if len(usual) else float("nan"),
        days=len(usual),
        steps=table[-1],
        usual_steps=_median_by_step(table[like_today]),
    )


def compare_week(series: PowerSeries) -> WeekComparison | None:
    """The last seven whole local days beside the seven before; None without so many days."""
    if not len(series):
        return None
    day = series.local_day
    today = int(day[-1])
    if today - 2 * _WEEK < int(day[0]):
        return None
    newer = (day >= today - _WEEK) & (day < today)
    older = (day >= today - 2 * _WEEK) & (day < today - _WEEK)
    complete = ENOUGH * _WEEK * _MINUTES_A_DAY / series.meter.interval_minutes
    return WeekComparison(
        energy_kwh=float(series.values[newer].sum()) * series.hours,
        before_kwh=float(series.values[older].sum()) * series.hours,
        is_whole=bool(newer.sum() >= complete and older.sum() >= complete),
    )


def _median_by_step(days: Floats) -> Floats:
    """Median of each step over days, NaN where no day has it."""
    known = np.isfinite(days).any(axis=0) if len(days) else np.zeros(days.shape[1], dtype=np.bool_)
    out = np.full(days.shape[1], np.nan)
    out[known] = np.nanmedian(days[:, known], axis=0)
    return out
