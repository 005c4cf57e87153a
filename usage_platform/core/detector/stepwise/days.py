"""The stepwise scorer's local days: everything about a day that is fixed before its first reading.

Belongs here: local days with the expected value of each interval, and the level that earlier days
of the same type give them (`features._same_days`, day by day, to the same bits). Not here: what
changes with each hour or reading (`stepwise.windows`).

An `index` counts intervals since 1970-01-01T00:00Z, here and in the whole folder.
"""

import math
from array import array
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.anomaly_score import forest_keys
from usage_platform.core.detector.expected import DAY_TYPES, day_type
from usage_platform.core.detector.features import SAME_DAYS, around, median_of_last
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.detector.measure import expected_at
from usage_platform.core.detector.model import Baseline
from usage_platform.core.detector.score import is_night
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

_STRETCH_DAYS = 14
_KEPT_STRETCHES = 32
_UNKNOWN = math.nan


class SlotConstants(NamedTuple):
    """What is fixed for an interval before its day begins.

    Attributes:
        expected: kW, without levels.
        spread: Usual error, kW.
        by_same_days: Weighted level of the last days of the same type, in spreads.
        long_spread: As in `model.Baseline`, in spreads; so are the next two.
        short_spread: See above.
        week_spread: See above.
        step: The interval of the local day, from 0.
        key: The key of its forest.
        is_rest_day: Whether the day is a Saturday, Sunday or rest day.
        is_night: Whether the expected value is among the lowest of the day.
    """

    expected: float
    spread: float
    by_same_days: float
    long_spread: float
    short_spread: float
    week_spread: float
    step: int
    key: int
    is_rest_day: bool
    is_night: bool


@dataclass(frozen=True, eq=False)
class LocalDay:
    """One local day, or its end from some interval on.

    Attributes:
        first: Index of its first interval.
        end: Index of the first interval after it.
        day: Local days since 1970-01-01.
        kind: Its day type.
        grid: Its intervals, all without a reading.
    """

    first: int
    end: int
    day: int
    kind: int
    grid: Grid


@dataclass(frozen=True, eq=False)
class _Stretch:
    """Some local days of a time zone, which all meters with the same interval share.

    Attributes:
        first: Index of the first interval.
        day: As `Grid.day`; so are the next two.
        weekday: See above.
        step: See above.
        ends: The positions where a local day ends.
        blank: As `Grid.values`, without any reading.
    """

    first: int
    day: Ints
    weekday: Ints
    step: Ints
    ends: Ints
    blank: Floats

    def end_of_day(self, within: int) -> int:
        """The position where the local day of a position ends."""
        return int(self.ends[np.searchsorted(self.ends, within, side="right")])


class LocalDays:
    """The local days of a meter."""

    def __init__(self, meter: Meter, calendar: Calendar) -> None:
        self._meter = meter
        self._calendar = calendar
        self._per_stretch = _STRETCH_DAYS * 24 * meter.readings_per_hour
        self._stretch: _Stretch | None = None
        self._number = -1

    def at(self, index: int) -> LocalDay:
        """The local day of an interval, from this interval on."""
        stretch, within = self._locate(index)
        end = stretch.end_of_day(within)
        part = slice(within, end)
        weekday = stretch.weekday[part]
        grid = Grid(
            self._meter,
            index * self._meter.interval_minutes * NS_A_MINUTE,
            stretch.blank[part],
            stretch.day[part],
            weekday,
            stretch.step[part],
        )
        return LocalDay(
            first=index,
            end=stretch.first + end,
            day=int(stretch.day[within]),
            kind=int(day_type(weekday[:1])[0]),
            grid=grid,
        )

    def kind_and_hour(self, index: int) -> tuple[int, int]:
        """The day type and the local hour of an interval."""
        stretch, within = self._locate(index)
        hour = int(stretch.step[within]) // self._meter.readings_per_hour
        return int(day_type(stretch.weekday[within : within + 1])[0]), hour

    def _locate(self, index: int) -> tuple[_Stretch, int]:
        """The stretch of an interval, and its position there."""
        number = index // self._per_stretch
        stretch = self._stretch
        if stretch is None or number != self._number:
            meter = self._meter
            stretch = _stretch_of(number, meter.interval_minutes, meter.timezone, self._calendar)
            self._stretch, self._number = stretch, number
        return stretch, index - stretch.first


@lru_cache(maxsize=_KEPT_STRETCHES)
def _stretch_of(number: int, interval_minutes: int, timezone: str, calendar: Calendar) -> _Stretch:
    """The local days from a multiple of two weeks on, and two more, so that the last one ends."""
    start = number * _STRETCH_DAYS * NS_A_DAY
    end = start + (_STRETCH_DAYS + 2) * NS_A_DAY
    meter = Meter("any", timezone=timezone, interval_minutes=interval_minutes)
    grid = to_grid(np.array([start]), np.array([np.nan]), meter, calendar, end)
    ends = np.flatnonzero(np.diff(grid.day)) + 1
    grid.values.flags.writeable = False
    return _Stretch(start // grid.interval, grid.day, grid.weekday, grid.step, ends, grid.values)


class SameDays:
    """`features._same_days`, day by day."""

    def __init__(self, per_hour: int) -> None:
        self._reach = max(1, per_hour // 2)
        self._steps = 24 * per_hour
        self._past: list[deque[tuple[int, Floats]]] = [
            deque[tuple[int, Floats]](maxlen=SAME_DAYS) for _ in range(DAY_TYPES)
        ]

    def push(self, days: Ints, kinds: Ints, table: Floats) -> None:
        """Add days that have ended.

        Args:
            days: Shape (d,), days since 1970-01-01, ascending.
            kinds: Shape (d,): their day types.
            table: Shape (d, steps): their clipped deviations, NaN where unknown.
        """
        smooth = around(table, self._reach)
        numbers: list[tuple[int, int]] = list(zip(days.tolist(), kinds.tolist(), strict=True))
        for (day, kind), row in zip(numbers, smooth, strict=True):
            # A part of an array would keep all of it in memory.
            self._past[kind].append((day, row.copy()))

    def levels(self, day: int, kind: int) -> Floats:
        """The level that earlier days of this type give to a day, in spreads; shape (steps,)."""
        past = self._past[kind]
        days = np.array([*(other for other, _ in past), day])
        rows = np.stack([*(row for _, row in past), np.full(self._steps, np.nan)])
        return median_of_last(rows, days)[-1].copy()


class Days:
    """The local day of the next reading, and the days before it."""

    def __init__(self, baseline: Baseline, per_hour: int, days: LocalDays, first: int) -> None:
        """Start without any reading before the index `first`."""
        self._baseline = baseline
        self._days = days
        self._steps = 24 * per_hour
        self.reset(first)

    def reset(self, first: int) -> None:
        """Drop all readings; the next one has the index `first` or a later one."""
        self._same_days = SameDays(self._steps // 24)
        self._begin(self._days.at(first))

    def load(self, near: Floats, grid: Grid) -> None:
        """Load the past.

        Args:
            near: Shape (n,): clipped deviations in spreads, rounded; NaN where unknown.
            grid: Their intervals; the last one is just before the first of today.
        """
        days, rows = np.unique(grid.day, return_inverse=True)
        table = np.full((len(days), self._steps), np.nan)
        table[rows, grid.step] = near
        kinds = np.zeros(len(days), dtype=np.int64)
        kinds[rows] = day_type(grid.weekday)
        ended = days < self.today.day
        self._same_days.push(days[ended], kinds[ended], table[ended])
        self._levels = None
        if not ended[-1]:
            self.row = array("d", table[-1])

    def skip(self, first: int, end: int) -> None:
        """Mark intervals of today as missing: from the index `first` to before `end`.

        Of a local hour that occurs twice the second occurrence counts, also if it has no reading.
        """
        begin = self.today.first
        for step in self.today.grid.step[first - begin : end - begin].tolist():
            self.row[step] = _UNKNOWN

    def end_day(self) -> None:
        """End today; the next local day begins."""
        today = self.today
        self._same_days.push(np.array([today.day]), np.array([today.kind]), np.array([self.row]))
        self._begin(self._days.at(today.end))

    def slot_constants(self, first: int, end: int) -> list[SlotConstants]:
        """The constants of intervals of today, from the index `first` to before `end`."""
        today, baseline = self.today, self._baseline
        if self._levels is None:
            self._levels = self._same_days.levels(today.day, today.kind)
        grid = today.grid.part(slice(first - today.first, end - today.first))
        kind, step = today.kind, grid.step
        columns = (
            expected_at(baseline, grid),
            baseline.spread[kind, step],
            baseline.weights.slow[1] * self._levels[step],
            baseline.long_spread[kind, step],
            baseline.short_spread[kind, step],
            baseline.week_spread[kind, step],
            step,
            forest_keys(grid),
            day_type(grid.weekday) > 0,
            is_night(baseline, grid),
        )
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [SlotConstants(*row) for row in rows]

    def _begin(self, today: LocalDay) -> None:
        self.today = today
        self.row = array("d", [_UNKNOWN]) * self._steps
        """Today's clipped deviations by step, in spreads; NaN where unknown."""
        self._levels: Floats | None = None
