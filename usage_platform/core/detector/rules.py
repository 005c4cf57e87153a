"""Rules that need no model: zeros, readings that stand still, gross ones.

Belongs here: what can be said of readings by themselves, and what the past says is usual there.
Not here: deviations from what is expected.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.detector.calibration import threshold_for_budget
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.features import run_lengths
from usage_platform.core.detector.grid import Grid

_ZERO_SHARE = 0.25
_LEAST_RUN = 6
_FLATLINES_PER_WEEK = 1 / 52
LONGEST_RUN_DAYS = 28
"""Longer runs are not told apart, so that they need no more context than other features."""

NEVER = int(np.iinfo(np.int64).max)
"""A run that no meter reaches."""

GROSS_TIMES = 3.0
GROSS_WINDOW_DAYS = 7


def usual_zeros(grid: Grid | None) -> npt.NDArray[np.bool_]:
    """Shape (3, 24): day types and hours in which a quarter of all readings is 0 or less."""
    if grid is None:
        return np.zeros((3, 24), dtype=np.bool_)
    known = ~np.isnan(grid.values)
    key = (day_type(grid.weekday) * 24 + grid.step // grid.meter.readings_per_hour)[known]
    zeros = np.bincount(key, weights=grid.values[known] <= 0, minlength=72)
    counts = np.bincount(key, minlength=72)
    return (zeros > _ZERO_SHARE * np.maximum(counts, 1)).reshape(3, 24)


def anomalous_zeros(grid: Grid, usual: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Places that read 0 or less where that is not usual."""
    hour = grid.step // grid.meter.readings_per_hour
    return (grid.values <= 0) & ~usual[day_type(grid.weekday), hour]


def without_zeros(grid: Grid, usual: npt.NDArray[np.bool_]) -> Grid:
    """The grid without the zeros that are not usual: they say nothing about the level."""
    return replace(grid, values=np.where(anomalous_zeros(grid, usual), np.nan, grid.values))


def flatline_after(grid: Grid | None) -> int:
    """How many equal readings in a row this meter shows once a year at most; an hour's at least.

    A meter with coarse steps repeats itself more often than one with fine ones; from one that never
    changes nothing can be learned, and nothing is odd.
    """
    if grid is None or np.isnan(grid.values).all():
        return NEVER
    runs = run_lengths(grid.values)
    days, at = np.unique(grid.day[runs > 0], return_inverse=True)
    maxima = np.zeros(len(days))
    np.maximum.at(maxima, at, runs[runs > 0])
    least = max(_LEAST_RUN, grid.meter.readings_per_hour)
    bar = max(np.ceil(threshold_for_budget(maxima, _FLATLINES_PER_WEEK)), least)
    longest = LONGEST_RUN_DAYS * 24 * grid.meter.readings_per_hour
    return int(bar) if bar <= longest else NEVER


def gross_without_model(grid: Grid) -> npt.NDArray[np.bool_]:
    """Readings above three times the largest of the week before them: for meters still unknown."""
    window = GROSS_WINDOW_DAYS * 24 * grid.meter.readings_per_hour
    least = 24 * grid.meter.readings_per_hour
    largest = pd.Series(grid.values).rolling(window, min_periods=least).max().shift(1).to_numpy()
    return grid.values > GROSS_TIMES * np.where(np.isnan(largest), np.inf, largest)
