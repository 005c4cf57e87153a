"""Rules that need no expected values: anomalous zeros, flatlines, gross readings.

Belongs here: the rules and what they learn from the history. Not here: deviations from expected
values (`measure`).
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
"""Longer runs count as this long, so that they need no more context than other features."""

NEVER = int(np.iinfo(np.int64).max)
"""A length that no run reaches."""

GROSS_TIMES = 3.0
GROSS_WINDOW_DAYS = 7


def usual_zeros(grid: Grid | None, is_net: bool = False) -> npt.NDArray[np.bool_]:
    """The day types and hours in which more than a quarter of the readings are 0 or less.

    Args:
        grid: The history; None without one.
        is_net: Whether readings below 0 are export: then they and zeros are usual at all times.

    Returns:
        bool, shape (3, 24): by day type and local hour.
    """
    if grid is None or is_net:
        return np.full((3, 24), is_net)
    known = ~np.isnan(grid.values)
    key = (day_type(grid.weekday) * 24 + grid.step // grid.meter.readings_per_hour)[known]
    zeros = np.bincount(key, weights=grid.values[known] <= 0, minlength=72)
    counts = np.bincount(key, minlength=72)
    return (zeros > _ZERO_SHARE * np.maximum(counts, 1)).reshape(3, 24)


def anomalous_zeros(grid: Grid, usual: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Where a reading is 0 or less in an hour in which that is not usual; bool, shape (n,)."""
    hour = grid.step // grid.meter.readings_per_hour
    return (grid.values <= 0) & ~usual[day_type(grid.weekday), hour]


def without_zeros(grid: Grid, usual: npt.NDArray[np.bool_]) -> Grid:
    """The grid without anomalous zeros, which must not change any level."""
    return replace(grid, values=np.where(anomalous_zeros(grid, usual), np.nan, grid.values))


def flatline_after(grid: Grid | None, *, of_zeros: bool = False) -> int:
    """The number of equal readings in a row from which on they are a flatline.

    It is the length that this meter reaches once a year, at least 6 readings and an hour's: a meter
    of coarse resolution repeats values more often than one of fine resolution. `NEVER` for a meter
    without readings and for one that hardly ever changes.

    Zeros of a meter that only consumes say nothing of its other readings, which alone the detector
    takes for flatlines: a meter that is off for months may be stuck when it is on.

    Args:
        grid: The history; None without one.
        of_zeros: Whether the length is that of a run of zeros: learned from all readings.
    """
    if grid is None:
        return NEVER
    runs = run_lengths(grid.values, len(grid.values))
    learned = (runs > 0) & (of_zeros | grid.meter.is_net | (grid.values > 0))
    if not learned.any():
        return NEVER
    days, at = np.unique(grid.day[learned], return_inverse=True)
    maxima = np.zeros(len(days))
    np.maximum.at(maxima, at, runs[learned])
    least = max(_LEAST_RUN, grid.meter.readings_per_hour)
    length = max(np.ceil(threshold_for_budget(maxima, _FLATLINES_PER_WEEK)), least)
    longest = LONGEST_RUN_DAYS * 24 * grid.meter.readings_per_hour
    return int(length) if length <= longest else NEVER


def gross_without_model(grid: Grid) -> npt.NDArray[np.bool_]:
    """Where a power exceeds three times the maximum of the week before it; bool, shape (n,).

    Import and export alike. For meters that have no expected values yet; nothing is gross before a
    day of readings.
    """
    window = GROSS_WINDOW_DAYS * 24 * grid.meter.readings_per_hour
    least = 24 * grid.meter.readings_per_hour
    sizes = np.abs(grid.values)
    largest = pd.Series(sizes).rolling(window, min_periods=least).max().shift(1).to_numpy()
    return sizes > GROSS_TIMES * np.where(np.isnan(largest), np.inf, largest)
