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
    recent_volatility,
    rounded,
    run_lengths,
    trailing_mean,
)
from usage_platform.core.detector.grid import Grid
from usage_platform.core.detector.model import WEEKS_KEPT, Baseline
from usage_platform.core.detector.residuals import KnownWeights, Residuals, residual_chain

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
        rows=_rows(long, short, run_lengths(grid.values), per_hour),
    )


@dataclass(frozen=True, eq=False)
class Deviations:
    """Shape (n,) each: deviations in usual ones, before recent unrest is taken into account.

    Attributes:
        residuals: What the levels leave of each deviation, in spreads.
        long: From slot and levels of weeks and days, in usual ones.
        short: From the levels of the last hours too, in usual ones.
    """

    residuals: Residuals
    long: Floats
    short: Floats


def deviations(baseline: Baseline, grid: Grid, expected: Floats) -> Deviations:
    """Deviations of readings; the arguments are those of `measure`."""
    kinds = day_type(grid.weekday)
    residuals = residual_chain(grid, expected, baseline.spread, KnownWeights(baseline.weights))
    return Deviations(
        residuals=residuals,
        long=rounded(residuals.daily / baseline.long_spread[kinds, grid.step]),
        short=rounded(residuals.quick / baseline.short_spread[kinds, grid.step]),
    )


def _rows(long: Floats, short: Floats, runs: Ints, per_hour: int) -> npt.NDArray[np.float32]:
    hour = trailing_mean(rounded(np.clip(long, -FARTHEST, FARTHEST)), 0, per_hour - 1)
    columns = [long, short, hour, np.minimum(runs, LONGEST_RUN)]
    return np.stack(columns, axis=1).astype(np.float32)
