"""The live scorer's days: what is fixed for the places of a local day before it comes.

Belongs here: local days with what is expected in them, and the level that past days of the same
type give them (`features._same_days`, day by day, to the same bits). Not here: what moves by the
hour or the reading (`live_windows`).
"""

import math
from collections import deque
from dataclasses import dataclass

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

SlotConstants = tuple[float, float, float, float, float, float, int, int, bool, bool]
"""What is fixed for a place: expected (kW, without levels), spread, what the level of the days of
its type adds (in spreads), long_spread, short_spread, week_spread, step, forest key, whether the
day is one of rest, whether it is night."""


@dataclass(frozen=True, eq=False)
class LocalDay:
    """One local day, or the rest of it.

    Attributes:
        first: Its first place, in intervals since 1970 UTC.
        end: The first place after it.
        day: Which day it is, in days since 1970-01-01.
        kind: Its day type.
        grid: Its places, without values.
    """

    first: int
    end: int
    day: int
    kind: int
    grid: Grid


class LocalDays:
    """The local days of a meter; two weeks of places are worked out at a time."""

    def __init__(self, meter: Meter, calendar: Calendar) -> None:
        self._meter = meter
        self._calendar = calendar
        self._changes = np.empty(0, dtype=np.int64)
        self._first = 0
        self._grid: Grid | None = None

    def at(self, index: int) -> LocalDay:
        """The local day from a place on.

        Args:
            index: The place, in intervals since 1970 UTC.
        """
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
        """The day type and the local hour of a place."""
        grid, within = self.locate(index)
        hour = int(grid.step[within]) // grid.meter.readings_per_hour
        return int(day_type(grid.weekday[within : within + 1])[0]), hour

    def locate(self, index: int) -> tuple[Grid, int]:
        """The places worked out, and which of them it is."""
        grid, within = self._grid, index - self._first
        if grid is None or not 0 <= within < self._changes[-1]:
            grid = self._work_out(index)
            within = index - self._first
        return grid, within

    def _work_out(self, index: int) -> Grid:
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
        """Add days that are over.

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
        """Shape (steps,): the level that the past gives to a day of that type."""
        past = self._past[kind]
        days = np.array([*(other for other, _ in past), day])
        rows = np.stack([*(row for _, row in past), np.full(self._steps, np.nan)])
        return median_of_last(rows, days)[-1]


class Days:
    """Today, and the days before it."""

    def __init__(self, baseline: Baseline, per_hour: int, days: LocalDays, first: int) -> None:
        """Nothing is known before the place `first`."""
        self._baseline = baseline
        self._days = days
        self._blank = [_UNKNOWN] * (24 * per_hour)
        self.reset(first)

    def reset(self, first: int) -> None:
        """Nothing is known before the place `first`."""
        self._same_days = SameDays(len(self._blank) // 24)
        self.today = self._days.at(first)
        self.row = self._blank.copy()
        """By step of today: clipped deviations in spreads, NaN where unknown."""

    def load(self, near: Floats, grid: Grid) -> None:
        """Take in the past at once.

        Args:
            near: Shape (n,): clipped deviations in spreads, rounded; NaN where unknown.
            grid: Their places, which end where this begins.
        """
        days, rows = np.unique(grid.day, return_inverse=True)
        table = np.full((len(days), len(self._blank)), np.nan)
        table[rows, grid.step] = near
        kinds = np.zeros(len(days), dtype=np.int64)
        kinds[rows] = day_type(grid.weekday)
        over = days < self.today.day
        self._same_days.push(days[over], kinds[over], table[over])
        if not over[-1]:
            self.row = table[-1].tolist()

    def skip(self, first: int, end: int) -> None:
        """Nothing came in these places of today.

        Of an hour that comes twice the second time counts, also where nothing came.
        """
        begin = self.today.first
        for step in self.today.grid.step[first - begin : end - begin].tolist():
            self.row[step] = _UNKNOWN

    def end_day(self) -> None:
        """Today is over."""
        today = self.today
        self._same_days.push(np.array([today.day]), np.array([today.kind]), np.array([self.row]))
        self.row = self._blank.copy()
        self.today = self._days.at(today.end)

    def slot_constants(self) -> list[SlotConstants]:
        """What is fixed for today's places."""
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
        return list(zip(*(column.tolist() for column in columns), strict=True))
