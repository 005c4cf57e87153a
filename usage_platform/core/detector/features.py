"""Levels and other features of the readings before each reading.

Belongs here: the levels of the last weeks, days and hours, recent volatility and runs of equal
readings. All of them look back only, at most `CONTEXT_DAYS`. Not here: the expected value of a slot
(`expected`), the residuals that the levels leave (`residuals`).

The results do not depend, in any bit, on readings before the context: sums run over values rounded
to `UNIT`, which makes floating-point addition exact, and medians select values.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.grid import Grid

SAME_DAYS = 4
SAME_DAYS_WITHIN = 28
VOLATILITY_HOURS = 72
CONTEXT_DAYS = SAME_DAYS_WITHIN + 7
"""Days of readings needed before the first one that is scored: four weeks for the days of its type,
and a week for the levels of the last day and the volatility of the last three, which add to it."""

CLIP = 3.0
"""In the levels of days and hours a residual counts at most this many times its usual size: a
larger one is a fault and no level (Huber's clipping; 3 is the customary limit)."""

WEEK_HOURS = 168
WEEK_LEAST_HOURS = 24
LEAST_SHARE = 1 / 3
FAR = 64.0
"""A deviation counts as at most this many spreads in the levels of weeks and in the volatility."""

UNIT = 2.0**-10
"""Deviations are rounded to multiples of it, in spreads."""


def rounded(values: Floats) -> Floats:
    """Values rounded to multiples of `UNIT`, within -1e6 to 1e6; their sums are exact."""
    return np.clip(np.rint(values / UNIT) * UNIT, -1e6, 1e6)


def slow_levels(z: Floats, grid: Grid) -> tuple[Floats, Floats]:
    """The levels of weeks: of the last week, and of the last days of the same type at this time.

    Args:
        z: Shape (n,): deviations in spreads, rounded; NaN where unknown.
        grid: The readings that they belong to.

    Returns:
        Two of shape (n,), in spreads; 0 where too little is known. The first is the median of the
        last 168 hourly means, the second the median of the last 4 days of the same type, within 28
        days, of the mean within half an hour of this time.
    """
    near = np.clip(z, -FAR, FAR)
    return _last_week(near, grid.meter.readings_per_hour), _same_days(near, grid)


def daily_levels(slow_residual: Floats, spread: float, per_hour: int) -> tuple[Floats, Floats]:
    """The levels of days: of the last 24 hours, and of yesterday within an hour of this time.

    Args:
        slow_residual: Shape (n,): what the levels of weeks leave, in spreads; NaN where unknown.
        spread: Its usual size.
        per_hour: Readings per hour.

    Returns:
        Two of shape (n,), in spreads; 0 where less than a third of the readings is known.
    """
    near = clipped(slow_residual, spread)
    day = 24 * per_hour
    return trailing_mean(near, 1, day), trailing_mean(near, day - per_hour, day + per_hour)


def quick_levels(daily_residual: Floats, spread: float, per_hour: int) -> tuple[Floats, Floats]:
    """The levels of hours: of the last two hours and of the last half hour, without this reading.

    Args:
        daily_residual: Shape (n,): what the levels of days leave, in spreads; NaN where unknown.
        spread: Its usual size.
        per_hour: Readings per hour.

    Returns:
        As `daily_levels`.
    """
    near = clipped(daily_residual, spread)
    half = max(1, per_hour // 2)
    return trailing_mean(near, 1, 2 * per_hour), trailing_mean(near, 1, half)


def trailing_mean(values: Floats, nearest: int, farthest: int) -> Floats:
    """Mean of the values that lie `nearest` to `farthest` positions back, both inclusive.

    Returns:
        Shape (n,); 0 where less than a third of them is known.
    """
    known = ~np.isnan(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    index = np.arange(len(values))
    first = np.maximum(index - farthest, 0)
    stop = np.maximum(index - nearest + 1, 0)
    count = counts[stop] - counts[first]
    enough = count >= LEAST_SHARE * (farthest - nearest + 1)
    return np.where(enough, (sums[stop] - sums[first]) / np.maximum(count, 1), 0.0)


def recent_volatility(errors: Floats, noise: float, per_hour: int) -> Floats:
    """The recent size of errors relative to their usual size.

    It is the median of the mean absolute errors of the last 72 hours, divided by the noise. A fault
    of less than half that time does not change it. (The idea of ARCH: large errors are followed by
    large errors.)

    Args:
        errors: Shape (n,): standardised errors; NaN where unknown.
        noise: The usual mean absolute error of an hour.
        per_hour: Readings per hour.

    Returns:
        Shape (n,): 1 or more.
    """
    means = _hourly_means(np.minimum(np.abs(errors), FAR), per_hour)
    level = _median_of_hours(means, VOLATILITY_HOURS, VOLATILITY_HOURS // 6, noise)
    return np.maximum(np.repeat(level, per_hour)[: len(errors)] / noise, 1.0)


def run_lengths(values: Floats, within: int) -> Ints:
    """The number of equal readings in a row up to each reading, itself included.

    A missing reading does not end a run.

    Args:
        values: Shape (n,), NaN where there is no reading.
        within: Only so many intervals, the reading's own included, are looked at.

    Returns:
        int64, shape (n,): 0 where there is no reading.
    """
    known = np.flatnonzero(~np.isnan(values))
    lengths = np.zeros(len(values), dtype=np.int64)
    if len(known):
        kept = values[known]
        begins = np.concatenate([[True], kept[1:] != kept[:-1]])
        starts = np.flatnonzero(begins)[np.cumsum(begins) - 1]
        first = np.searchsorted(known, known - within, side="right")
        lengths[known] = np.arange(len(known)) - np.maximum(starts, first) + 1
    return lengths


def clipped(values: Floats, spread: float) -> Floats:
    """Residuals within `CLIP` times their usual size (`spread`), rounded."""
    return rounded(np.clip(values, -CLIP * spread, CLIP * spread))


def _last_week(near: Floats, per_hour: int) -> Floats:
    """Median of the means of the 168 whole UTC hours before each one."""
    means = _hourly_means(near, per_hour)
    level = _median_of_hours(means, WEEK_HOURS, WEEK_LEAST_HOURS, 0.0)
    return np.repeat(level, per_hour)[: len(near)]


def _hourly_means(values: Floats, per_hour: int) -> Floats:
    hours = -(-len(values) // per_hour)
    blocks = np.full(hours * per_hour, np.nan)
    blocks[: len(values)] = values
    blocks = blocks.reshape(hours, per_hour)
    known = np.count_nonzero(~np.isnan(blocks), axis=1)
    sums = np.where(np.isnan(blocks), 0.0, blocks).sum(axis=1)
    return np.where(known > 0, sums / np.maximum(known, 1), np.nan)


def _median_of_hours(means: Floats, hours: int, least: int, otherwise: float) -> Floats:
    """Median of so many hours before each hour."""
    rolling = pd.Series(means).rolling(hours, min_periods=least).median()
    return rolling.shift(1).fillna(otherwise).to_numpy()


def _same_days(near: Floats, grid: Grid) -> Floats:
    """Median over the last days of the same type of the mean within half an hour of this time."""
    rows = grid.day - grid.day[0]
    steps = 24 * grid.meter.readings_per_hour
    table = np.full((int(rows[-1]) + 1, steps), np.nan)
    table[rows, grid.step] = near
    kinds = np.full(len(table), -1, dtype=np.int64)
    kinds[rows] = day_type(grid.weekday)
    smooth = around(table, max(1, grid.meter.readings_per_hour // 2))
    levels = np.zeros_like(table)
    for kind in np.unique(kinds[kinds >= 0]):
        of_kind = np.flatnonzero(kinds == kind)
        levels[of_kind] = median_of_last(smooth[of_kind], of_kind)
    return levels[rows, grid.step]


def around(table: Floats, reach: int) -> Floats:
    """The mean within `reach` steps of each step on the same day; NaN where none is known.

    Args:
        table: Shape (days, steps), NaN where unknown.
        reach: Steps before and after.
    """
    steps = table.shape[1]
    padded = np.pad(table, ((0, 0), (reach + 1, reach)), constant_values=np.nan)
    known = ~np.isnan(padded)
    sums = np.cumsum(np.where(known, padded, 0.0), axis=1)
    counts = np.cumsum(known, axis=1)
    width = 2 * reach + 1
    total = sums[:, width : width + steps] - sums[:, :steps]
    count = counts[:, width : width + steps] - counts[:, :steps]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def median_of_last(smooth: Floats, days: Ints) -> Floats:
    """Each day's median over the `SAME_DAYS` rows before it that are at most 28 days older.

    Args:
        smooth: Shape (rows, steps), NaN where unknown.
        days: Shape (rows,): the day of each row, ascending.

    Returns:
        Shape (rows, steps); 0 where fewer than two are known.
    """
    stacked = np.full((SAME_DAYS, *smooth.shape), np.nan)
    for back in range(1, min(SAME_DAYS, len(days) - 1) + 1):
        recent = days[back:] - days[:-back] <= SAME_DAYS_WITHIN
        stacked[back - 1, back:][recent] = smooth[:-back][recent]
    ordered = np.sort(stacked, axis=0)  # NaN last
    known = np.count_nonzero(~np.isnan(ordered), axis=0)
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, SAME_DAYS - 1)
    middle = _take(ordered, low) + _take(ordered, high)
    return np.where(known >= 2, middle / 2, 0.0)


def _take(ordered: Floats, at: npt.NDArray[np.intp]) -> Floats:
    return np.take_along_axis(ordered, at[None], axis=0)[0]
