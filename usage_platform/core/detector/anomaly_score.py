"""From deviations to one number that says how odd a reading is.

Belongs here: the score of each method. Not here: the bar it is held against (`calibration`), the
rules beside it (`rules`).

The larger of the two deviations, long and short, in usual deviations of that time of day, grows
without end; a forest's score does not, as outside of what it saw all readings look alike to it. So
the forest says how rare the combination of features is for that hour of that day type, and its word
stretches or shrinks the deviation: `deviation * (2 - depth share)`.
"""

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.forest import Forests
from usage_platform.core.detector.grid import Grid
from usage_platform.core.detector.measure import Measured

ORDINARY = 2.0
"""Deviations below this many usual ones are ordinary: one reading in twenty lies beyond."""

LEAST_SCALE_FACTOR = 0.5


def forest_keys(grid: Grid) -> Ints:
    """Which forest judges each place: one a day type and hour."""
    return day_type(grid.weekday) * 24 + grid.step // grid.meter.readings_per_hour


def deviation(measured: Measured) -> Floats:
    """The larger of the long and the short deviation, 0 where unknown."""
    larger = np.maximum(np.abs(measured.long), np.abs(measured.short))
    return np.where(np.isnan(larger), 0.0, larger)


def forest_scores(measured: Measured, keys: Ints, forests: Forests, first: int = 0) -> Floats:
    """The deviation, stretched by the forest's word.

    Ordinary deviations are not asked about, nor are places before `first`.
    """
    size = deviation(measured)
    asked = first + np.flatnonzero(size[first:] >= ORDINARY)
    scores = size.copy()
    if len(asked):
        shares = forests.depth_shares(measured.rows[asked], keys[asked])
        scores[asked] *= np.maximum(2.0 - shares, LEAST_SCALE_FACTOR)
    return scores


def robust_z_scores(measured: Measured) -> Floats:
    """The plain robust z: deviation from the slot's median and the last week's level."""
    return np.where(np.isnan(measured.week), 0.0, np.abs(measured.week))
