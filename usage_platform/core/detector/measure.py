"""How far each reading lies from what was expected, on every scale that the detector looks at.

Belongs here: the chain from readings to deviations and to the forest's features, one for training
and for scoring. Not here: which deviation is odd (`score`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.features import (
    Weights,
    daily_levels,
    quick_levels,
    rest,
    rounded,
    run_lengths,
    slow_levels,
    trailing_mean,
    unrest,
)
from usage_platform.core.detector.grid import Grid
from usage_platform.core.detector.model import WEEKS_KEPT, Baseline

LONGEST_RUN = 64
FARTHEST = 8.0
_IN_A_WEEK = 7


@dataclass(frozen=True, eq=False)
class Measured:
    """Shape (n,) each, for the n places of a grid; NaN where there is no reading.

    Attributes:
        expected: kW, the levels of days and weeks included.
        unit: kW: what a deviation of 1 on the long scale is now.
        week_expected: kW, the slot and the last week's level alone.
        week_unit: kW: what a deviation of 1 from that usually is.
        week: Deviation from that, in usual ones: the plain robust z.
        long: Deviation from what the last days and weeks let expect.
        short: Deviation from what the last hours let expect.
        rows: float32, shape (n, 4): the forest's features: long, short, the last hour's mean of
            long, and how many equal readings in a row.
    """

    expected: Floats
    unit: Floats
    week_expected: Floats
    week_unit: Floats
    week: Floats
    long: Floats
    short: Floats
    rows: npt.NDArray[np.float32]


def expected_at(baseline: Baseline, grid: Grid) -> Floats:
    """Each place's expected value without the level, kW."""
    before = baseline.until_day - 1 - grid.day
    weeks = np.where(before < 0, 0, np.minimum(1 + before // _IN_A_WEEK, WEEKS_KEPT - 1))
    return baseline.expected[weeks, grid.weekday, grid.step]


def measure(baseline: Baseline, grid: Grid, expected: Floats) -> Measured:
    """Deviations and features of readings.

    Args:
        baseline: What to compare with.
        grid: The readings with enough context before those that matter.
        expected: Shape (n,): each place's expected value without the level.
    """
    per_hour = grid.meter.readings_per_hour
    away = deviations(baseline, grid, expected)
    calm = np.maximum(
        unrest(away.long, baseline.long_calm, per_hour),
        unrest(away.short, baseline.short_calm, per_hour),
    )
    long, short = rounded(away.long / calm), rounded(away.short / calm)
    kinds = day_type(grid.weekday)
    spread = baseline.spread[kinds, grid.step]
    week_spread = baseline.week_spread[kinds, grid.step]
    return Measured(
        expected=expected + spread * away.level,
        unit=spread * baseline.long_spread[kinds, grid.step] * calm,
        week_expected=expected + spread * away.week_level,
        week_unit=spread * week_spread,
        week=rounded((away.z - away.week_level) / week_spread),
        long=long,
        short=short,
        rows=_rows(long, short, run_lengths(grid.values), per_hour),
    )


@dataclass(frozen=True, eq=False)
class Deviations:
    """Shape (n,) each: deviations in usual ones, before recent unrest is taken into account.

    Attributes:
        z: From the slot, in spreads.
        week_level: The last week's level, in spreads.
        level: What the levels of days and weeks add to the slot, in spreads.
        long: From slot and levels of days and weeks, in usual ones.
        short: From the levels of the last hours too, in usual ones.
    """

    z: Floats
    week_level: Floats
    level: Floats
    long: Floats
    short: Floats


def deviations(baseline: Baseline, grid: Grid, expected: Floats) -> Deviations:
    """Deviations of readings; the arguments are those of `measure`."""
    per_hour = grid.meter.readings_per_hour
    kinds, weights = day_type(grid.weekday), baseline.weights
    z = rounded((grid.values - expected) / baseline.spread[kinds, grid.step])
    slow = slow_levels(z, grid)
    slow_rest = rest(z, slow, weights.slow)
    daily = daily_levels(slow_rest, weights.slow_spread, per_hour)
    daily_rest = rest(slow_rest, daily, weights.daily)
    quick = quick_levels(daily_rest, weights.daily_spread, per_hour)
    quick_rest = rest(daily_rest, quick, weights.quick)
    return Deviations(
        z=z,
        week_level=slow[0],
        level=_level(weights, slow, daily),
        long=rounded(daily_rest / baseline.long_spread[kinds, grid.step]),
        short=rounded(quick_rest / baseline.short_spread[kinds, grid.step]),
    )


def _level(weights: Weights, slow: tuple[Floats, Floats], daily: tuple[Floats, Floats]) -> Floats:
    """What the levels of days and weeks add to the expected value, in spreads."""
    by_weeks = weights.slow[0] * slow[0] + weights.slow[1] * slow[1]
    return by_weeks + (weights.daily[0] * daily[0] + weights.daily[1] * daily[1])


def _rows(long: Floats, short: Floats, runs: Ints, per_hour: int) -> npt.NDArray[np.float32]:
    hour = trailing_mean(rounded(np.clip(long, -FARTHEST, FARTHEST)), 0, per_hour - 1)
    columns = [long, short, hour, np.minimum(runs, LONGEST_RUN)]
    return np.stack(columns, axis=1).astype(np.float32)
