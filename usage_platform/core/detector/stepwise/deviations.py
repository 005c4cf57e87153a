"""Deviations of one reading at a time, from running sums instead of the whole context.

Belongs here: the update of the chain of residuals and of `measure` by one reading. All sums run
over values rounded to a unit in which addition is exact (`features.rounded`), so that running sums
give the bits of new ones. The past is loaded by `measure.deviations` itself. Not here: the windows
and days (`stepwise.windows`, `stepwise.days`), the anomaly score (`stepwise.anomaly_score`).
"""

import math
from typing import NamedTuple

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.features import (
    CLIP,
    CONTEXT_DAYS,
    FAR,
    UNIT,
    VOLATILITY_HOURS,
    WEEK_HOURS,
    WEEK_LEAST_HOURS,
    clipped,
)
from usage_platform.core.detector.grid import Grid
from usage_platform.core.detector.measure import FARTHEST, deviations, expected_at
from usage_platform.core.detector.model import Baseline
from usage_platform.core.detector.stepwise.days import Days, LocalDays, SlotConstants
from usage_platform.core.detector.stepwise.windows import MedianOfHours, Prefixes, Window

_ROUNDER = 1.5 * 2.0**52 * UNIT
"""Adding it leaves no bit below `UNIT`; ties go to even, as `np.rint` does."""

_LARGEST = 1e6
_UNKNOWN = math.nan


class MeasuredReading(NamedTuple):
    """The values of `measure.Measured` for one reading, and constants of its interval.

    Attributes:
        hour: The last hour's mean of `long`, the forest's third feature.
        key: The key of its forest.
        is_rest_day: Whether the day is a Saturday, Sunday or rest day.
        is_night: Whether the expected value is among the lowest of the day (`score.is_night`).
    """

    expected: float
    unit: float
    week_expected: float
    week_unit: float
    week: float
    long: float
    short: float
    hour: float
    key: int
    is_rest_day: bool
    is_night: bool


class DeviationState:
    """The running sums of one meter, compared with its baseline."""

    def __init__(self, baseline: Baseline, per_hour: int, days: LocalDays, first: int) -> None:
        """Start without readings; `first` is the index of the first interval of a UTC hour."""
        day = 24 * per_hour
        self._baseline = baseline
        weights = baseline.weights
        self._slow, self._daily, self._quick = weights.slow, weights.daily, weights.quick
        self._per_hour = per_hour
        self._last_day = Window(1, day)
        self._yesterday = Window(day - per_hour, day + per_hour)
        self._two_hours = Window(1, 2 * per_hour)
        self._half_hour = Window(1, max(1, per_hour // 2))
        self._hour = Window(1, per_hour)
        self._slow_clip = CLIP * weights.slow_spread
        self._daily_clip = CLIP * weights.daily_spread
        self._days = Days(baseline, per_hour, days, first)
        self._reset(first)

    def load(self, grid: Grid) -> None:
        """Load the past.

        `hour` is wrong for the readings of the first hour after it.

        Args:
            grid: Whole UTC hours of readings, without anomalous zeros; the state begins at the end
                of the last one.
        """
        baseline = self._baseline
        weights = baseline.weights
        past = deviations(baseline, grid, expected_at(baseline, grid))
        residuals = past.residuals
        near = np.clip(residuals.z, -FAR, FAR)
        self._load_hours(near, np.abs(past.long), np.abs(past.short))
        self._days.load(near, grid)
        self._sums.load(
            clipped(residuals.slow, weights.slow_spread),
            clipped(residuals.daily, weights.daily_spread),
        )

    def measure(self, index: int, value: float) -> MeasuredReading:
        """Measure a reading and add it.

        Args:
            index: Its interval; later than all before.
            value: kW; NaN for an anomalous zero, which must not change any level.
        """
        if index != self._next or index >= self._boundary:
            self._go_to(index)
        constants = self._constants[index - self._constants_first]
        expected, spread, by_same_days, long_spread, _, week_spread, _, key, rest_day, night = (
            constants
        )
        sums, daily, week_level = self._sums, self._daily, self._week_level
        by_weeks = self._by_week + by_same_days
        last_day = self._last_day.mean(sums.slow, sums.known)
        yesterday = self._yesterday.mean(sums.slow, sums.known)
        by_days = daily[0] * last_day + daily[1] * yesterday
        z = _rounded((value - expected) / spread)
        if z == z:
            week = _rounded((z - week_level) / week_spread)
            long, short, hour = self._add(z, _rounded(z - by_weeks), by_days, constants)
        else:
            week = long = short = hour = _UNKNOWN
            self._skip_to(index + 1)
        return MeasuredReading(
            expected + spread * (by_weeks + by_days),
            spread * long_spread * self._volatility,
            expected + spread * week_level,
            spread * week_spread,
            week,
            long,
            short,
            hour,
            key,
            rest_day,
            night,
        )

    def _add(
        self, z: float, slow_residual: float, by_days: float, constants: SlotConstants
    ) -> tuple[float, float, float]:
        """Add a reading; returns its `long`, `short` and `hour`."""
        sums, weights = self._sums, self._quick
        daily_residual = _rounded(slow_residual - by_days)
        two_hours = self._two_hours.mean(sums.daily, sums.known)
        half_hour = self._half_hour.mean(sums.daily, sums.known)
        quick_residual = _rounded(
            daily_residual - (weights[0] * two_hours + weights[1] * half_hour)
        )
        long, short = (
            _rounded(daily_residual / constants.long_spread),
            _rounded(quick_residual / constants.short_spread),
        )
        near = _within(z, FAR)
        self._days.row[constants.step] = near
        self._hour_z += near
        self._hour_long += _within(abs(long), FAR)
        self._hour_short += _within(abs(short), FAR)
        self._hour_known += 1
        long, short = _rounded(long / self._volatility), _rounded(short / self._volatility)
        sums.add(
            _rounded(_within(slow_residual, self._slow_clip)),
            _rounded(_within(daily_residual, self._daily_clip)),
            _within(long, FARTHEST),
        )
        self._next += 1
        return long, short, self._hour.mean(sums.long, sums.known)

    def _go_to(self, index: int) -> None:
        """Step over intervals without a reading, up to `index`."""
        if index - self._next > CONTEXT_DAYS * 24 * self._per_hour:
            first = index // self._per_hour * self._per_hour
            self._days.reset(first)
            self._reset(first)
        days = self._days
        while self._boundary <= index:
            self._skip_to(self._boundary)
            if self._next == self._hour_end:
                self._close_hour()
            if self._next == days.today.end:
                days.end_day()
            self._boundary = min(self._hour_end, days.today.end)
        self._skip_to(index)
        if not self._constants or self._constants_end != self._boundary:
            self._constants = days.slot_constants(index, self._boundary)
            self._constants_first, self._constants_end = index, self._boundary

    def _skip_to(self, index: int) -> None:
        if index > self._next:
            self._sums.skip(index - self._next)
            self._days.skip(self._next, index)
            self._next = index

    def _reset(self, first: int) -> None:
        hours_and_least = VOLATILITY_HOURS, VOLATILITY_HOURS // 6
        self._next = self._boundary = first
        self._week = MedianOfHours(WEEK_HOURS, WEEK_LEAST_HOURS, 0.0)
        self._long_errors = MedianOfHours(*hours_and_least, self._baseline.long_noise)
        self._short_errors = MedianOfHours(*hours_and_least, self._baseline.short_noise)
        self._sums = Prefixes(25 * self._per_hour)
        self._constants: list[SlotConstants] = []
        self._constants_first = self._constants_end = -1
        self._open_hour()

    def _close_hour(self) -> None:
        self._week.push(self._hour_z, self._hour_known)
        self._long_errors.push(self._hour_long, self._hour_known)
        self._short_errors.push(self._hour_short, self._hour_known)
        self._sums.trim()
        self._open_hour()

    def _open_hour(self) -> None:
        baseline = self._baseline
        self._hour_end = self._next + self._per_hour
        self._hour_known = 0
        self._hour_z = self._hour_long = self._hour_short = 0.0
        self._week_level = self._week.level()
        self._by_week = self._slow[0] * self._week_level
        self._volatility = max(
            self._long_errors.level() / baseline.long_noise,
            self._short_errors.level() / baseline.short_noise,
            1.0,
        )

    def _load_hours(self, near: Floats, long: Floats, short: Floats) -> None:
        for values, hours in (
            (near, self._week),
            (np.minimum(long, FAR), self._long_errors),
            (np.minimum(short, FAR), self._short_errors),
        ):
            blocks = values.reshape(-1, self._per_hour)[-WEEK_HOURS:]
            totals = np.nansum(blocks, axis=1)
            known = np.count_nonzero(~np.isnan(blocks), axis=1)
            for total, count in zip(totals.tolist(), known.tolist(), strict=True):
                hours.push(total, count)
        self._open_hour()


def _rounded(value: float) -> float:
    """`features.rounded` for one value."""
    if -_LARGEST < value < _LARGEST:
        return (value + _ROUNDER) - _ROUNDER or value * 0.0  # keeps the sign of zero
    return value if value != value else math.copysign(_LARGEST, value)


def _within(value: float, limit: float) -> float:
    if -limit <= value <= limit:
        return value
    return math.copysign(limit, value)
