"""Standardised deviations of readings from their expected values, and the features of the forests.

Belongs here: from readings to deviations and features, the same for training and scoring. Not here:
the chain of residuals (`residuals`), the anomaly score (`anomaly_score`).

A deviation is standardised if it is divided by its usual size at that time of day: it is about 1 in
size on an ordinary day.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.features import (
    UNIT,
    recent_volatility,
    rounded,
    run_lengths,
    trailing_mean,
)
from usage_platform.core.detector.grid import Grid
from usage_platform.core.detector.model import WEEKS_KEPT, Baseline
from usage_platform.core.detector.residuals import KnownWeights, Residuals, residual_chain
from usage_platform.core.detector.rules import LONGEST_RUN_DAYS

LONGEST_RUN = 64
FARTHEST = 8.0

LARGEST_FEATURE = 2**15 - 1
"""A deviation counts as at most 32 in the features: no forest is grown on one of 8 or more."""

_IN_A_WEEK = 7


@dataclass(frozen=True, eq=False)
class Measured:
    """Shape (n,) each, for the n positions of a grid; deviations are NaN without a reading.

    Attributes:
        expected: kW, with the levels of weeks and days.
        unit: kW that make a `long` of 1 at this time.
        week_expected: kW, with the last week's level alone.
        week_unit: kW that make a `week` of 1.
        week: Standardised deviation from `week_expected`: the plain robust z-score.
        long: Standardised deviation from `expected`, divided by the recent volatility.
        short: The same with the levels of the last hours taken away too.
        rows: int16, shape (n, 4): the features of the forests: `long`, `short` and the mean of
            `long` over the last hour, in `features.UNIT`, and the number of equal readings in a row
            (at most 64); of no meaning without a reading.
    """

    expected: Floats
    unit: Floats
    week_expected: Floats
    week_unit: Floats
    week: Floats
    long: Floats
    short: Floats
    rows: npt.NDArray[np.int16]


def expected_at(baseline: Baseline, grid: Grid) -> Floats:
    """The expected value at each position, without levels; kW, shape (n,)."""
    weeks = _weeks_kept(baseline.until_day, grid)
    return baseline.expected[weeks, grid.weekday, grid.step]


def expected_hours(
    expected: Floats, until_day: int, grid: Grid, skipped: Ints | None = None
) -> Floats:
    """The mean over each hour of the expected values without levels.

    Args:
        expected: As `Baseline.expected`; shape (1, 7, steps) if all weeks are alike.
        until_day: As `Baseline.until_day`.
        grid: Positions of whole UTC hours; one hour more with `skipped`.
        skipped: int64, shape (hours,): how many positions after that of UTC each hour begins; None
            where all are hours of UTC.

    Returns:
        Shape (hours,), kW; NaN for an hour with an interval without an expected value.
    """
    weeks = _weeks_kept(until_day, grid) if len(expected) > 1 else 0
    by_interval = expected[weeks, grid.weekday, grid.step]
    per_hour = grid.meter.readings_per_hour
    if skipped is None:
        return by_interval.reshape(-1, per_hour).mean(axis=1)
    first = per_hour * np.arange(len(skipped)) + skipped
    return by_interval[first[:, np.newaxis] + np.arange(per_hour)].mean(axis=1)


def _weeks_kept(until_day: int, grid: Grid) -> Ints:
    """For each position, which of the kept weeks has its expected value."""
    before = until_day - 1 - grid.day
    return np.where(before < 0, 0, np.minimum(1 + before // _IN_A_WEEK, WEEKS_KEPT - 1))


def measure(baseline: Baseline, grid: Grid, expected: Floats) -> Measured:
    """Deviations and features of readings.

    Args:
        baseline: The expected values, spreads and weights of the model.
        grid: The readings; right from `CONTEXT_DAYS` after the first on.
        expected: kW, shape (n,): the expected values without levels (`expected_at`).
    """
    per_hour = grid.meter.readings_per_hour
    deviation = deviations(baseline, grid, expected)
    residuals = deviation.residuals
    volatility = np.maximum(
        recent_volatility(deviation.long, baseline.long_noise, per_hour),
        recent_volatility(deviation.short, baseline.short_noise, per_hour),
    )
    long, short = rounded(deviation.long / volatility), rounded(deviation.short / volatility)
    kinds = day_type(grid.weekday)
    spread = baseline.spread[kinds, grid.step]
    week_spread = baseline.week_spread[kinds, grid.step]
    return Measured(
        expected=expected + spread * residuals.level,
        unit=spread * baseline.long_spread[kinds, grid.step] * volatility,
        week_expected=expected + spread * residuals.week_level,
        week_unit=spread * week_spread,
        week=rounded((residuals.z - residuals.week_level) / week_spread),
        long=long,
        short=short,
        rows=_rows(
            long, short, run_lengths(grid.values, 24 * LONGEST_RUN_DAYS * per_hour), per_hour
        ),
    )


@dataclass(frozen=True, eq=False)
class Deviations:
    """Standardised deviations before division by the recent volatility; shape (n,) each.

    Attributes:
        residuals: The residuals that they are made of.
        long: The daily residual, standardised.
        short: The quick residual, standardised.
    """

    residuals: Residuals
    long: Floats
    short: Floats


def deviations(baseline: Baseline, grid: Grid, expected: Floats) -> Deviations:
    """Standardised deviations of readings; the arguments are those of `measure`."""
    kinds = day_type(grid.weekday)
    residuals = residual_chain(grid, expected, baseline.spread, KnownWeights(baseline.weights))
    return Deviations(
        residuals=residuals,
        long=rounded(residuals.daily / baseline.long_spread[kinds, grid.step]),
        short=rounded(residuals.quick / baseline.short_spread[kinds, grid.step]),
    )


def _rows(long: Floats, short: Floats, runs: Ints, per_hour: int) -> npt.NDArray[np.int16]:
    hour = trailing_mean(rounded(np.clip(long, -FARTHEST, FARTHEST)), 0, per_hour - 1)
    sizes = np.nan_to_num(np.stack([long, short, hour], axis=1) / UNIT)
    steps = np.rint(np.clip(sizes, -LARGEST_FEATURE, LARGEST_FEATURE))
    return np.column_stack([steps, np.minimum(runs, LONGEST_RUN)]).astype(np.int16)
