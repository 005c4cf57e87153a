"""The stepwise scorer's local days: everything about a day that is fixed before its first reading.

Belongs here: local days with the expected value of each interval, and the level that earlier days
of the same type give them (`features._same_days`, day by day, to the same bits). Not here: what
changes with each hour or reading (`stepwise.windows`).

An `index` counts intervals since 1970-01-01T00:00Z, here and in the whole folder.
"""

import math
from collections import deque
from dataclasses import dataclass
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
from usage_platform.core.time.units import NS_A_DAY

_DAYS_AHEAD = 14
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


class LocalDays:
    """The local days of a meter; their intervals are computed two weeks at a time."""

    def __init__(self, meter: Meter, calendar: Calendar) -> None:
        self._meter = meter
        self._calendar = calendar
        self._changes = np.empty(0, dtype=np.int64)
        self._first = 0
        self._grid: Grid | None = None

    def at(self, index: int) -> LocalDay:
        """The local day of an interval, from this interval on."""
        grid, within = self.locate(index)
        end = int(self._changes[np.searchsorted(self._changes, within, side="right")])
        part = slice(within, end)
        weekday = grid.weekday[part]
        return LocalDay(
            first=index,
            end=self._first + end,
            day=int(grid.day[within]),
            kind=int(day_type(weekday[:1])[0]),
            grid=Grid(
                grid.meter,
                index * grid.interval,
                grid.values[part],
                grid.day[part],
                weekday,
                grid.step[part],
            ),
        )

    def kind_and_hour(self, index: int) -> tuple[int, int]:
        """The day type and the local hour of an interval."""
        grid, within = self.locate(index)
        hour = int(grid.step[within]) // grid.meter.readings_per_hour
        return int(day_type(grid.weekday[within : within + 1])[0]), hour

    def locate(self, index: int) -> tuple[Grid, int]:
        """The computed intervals, and the position of this one among them."""
        grid, within = self._grid, index - self._first
        if grid is None or not 0 <= within < self._changes[-1]:
            grid = self._compute(index)
            within = index - self._first
        return grid, within

    def _compute(self, index: int) -> Grid:
        interval = NS_A_DAY // (24 * self._meter.readings_per_hour)
        instant = np.array([index * interval])
        end = int(instant[0]) + _DAYS_AHEAD * NS_A_DAY
        grid = to_grid(instant, np.array([np.nan]), self._meter, self._calendar, end)
        self._grid = grid
        self._first = grid.start // interval
        self._changes = np.flatnonzero(np.diff(grid.day)) + 1
        return grid


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
            self._past[kind].append((day, row))

    def levels(self, day: int, kind: int) -> Floats:
        """The level that earlier days of this type give to a day, in spreads; shape (steps,)."""
        past = self._past[kind]
        days = np.array([*(other for other, _ in past), day])
        rows = np.stack([*(row for _, row in past), np.full(self._steps, np.nan)])
        return median_of_last(rows, days)[-1]


class Days:
    """The local day of the next reading, and the days before it."""

    def __init__(self, baseline: Baseline, per_hour: int, days: LocalDays, first: int) -> None:
        """Start without any reading before the index `first`."""
        self._baseline = baseline
        self._days = days
        self._blank = [_UNKNOWN] * (24 * per_hour)
        self.reset(first)

    def reset(self, first: int) -> None:
        """Drop all readings; the next one has the index `first` or a later one."""
        self._same_days = SameDays(len(self._blank) // 24)
        self.today = self._days.at(first)
        self.row = self._blank.copy()
        """Today's clipped deviations by step, in spreads; NaN where unknown."""

    def load(self, near: Floats, grid: Grid) -> None:
        """Load the past.

        Args:
            near: Shape (n,): clipped deviations in spreads, rounded; NaN where unknown.
            grid: Their intervals; the last one is just before the first of today.
        """
        days, rows = np.unique(grid.day, return_inverse=True)
        table = np.full((len(days), len(self._blank)), np.nan)
        table[rows, grid.step] = near
        kinds = np.zeros(len(days), dtype=np.int64)
        kinds[rows] = day_type(grid.weekday)
        ended = days < self.today.day
        self._same_days.push(days[ended], kinds[ended], table[ended])
        if not ended[-1]:
            self.row = table[-1].tolist()

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
        self.row = self._blank.copy()
        self.today = self._days.at(today.end)

    def slot_constants(self) -> list[SlotConstants]:
        """The constants of today's intervals."""
        today, baseline = self.today, self._baseline
        grid, kind = today.grid, today.kind
        levels = self._same_days.levels(today.day, kind)
        columns = (
            expected_at(baseline, grid),
            baseline.spread[kind, grid.step],
            baseline.weights.slow[1] * levels[grid.step],
            baseline.long_spread[kind, grid.step],
            baseline.short_spread[kind, grid.step],
            baseline.week_spread[kind, grid.step],
            grid.step,
            forest_keys(grid),
            day_type(grid.weekday) > 0,
            is_night(baseline, grid),
        )
        rows = zip(*(column.tolist() for column in columns), strict=True)
        return [SlotConstants(*row) for row in rows]
