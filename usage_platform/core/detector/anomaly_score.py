"""The anomaly score of readings, before it is divided by the threshold.

Belongs here: the score of each method. Not here: the threshold (`calibration`), the rules beside it
(`rules`).

The larger of the long and the short deviation grows without limit. A forest's score does not: all
readings beyond the range it was fitted on get the same. So the score is the deviation, multiplied
by how rare the combination of features is at that hour of that day type:
`deviation * (2 - depth share)`.
"""

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import DAY_TYPES, day_type
from usage_platform.core.detector.forest import Forests
from usage_platform.core.detector.grid import Grid
from usage_platform.core.detector.measure import Measured

ORDINARY = 2.0
"""Standardised deviations below it are ordinary; one reading in twenty lies beyond."""

LEAST_SCALE_FACTOR = 0.5

DAY_TYPE_OF_KEY = np.arange(DAY_TYPES * 24) // 24
"""The day type of each forest: `forest_keys` numbers them by day type and hour."""


def forest_keys(grid: Grid) -> Ints:
    """The key of each position's forest: there is one per day type and local hour."""
    return day_type(grid.weekday) * 24 + grid.step // grid.meter.readings_per_hour


def deviation(measured: Measured) -> Floats:
    """The larger absolute value of the long and the short deviation; 0 where unknown."""
    larger = np.maximum(np.abs(measured.long), np.abs(measured.short))
    return np.where(np.isnan(larger), 0.0, larger)


def forest_scores(
    measured: Measured, keys: Ints, forests: Forests, first: int = 0, trees: slice = slice(None)
) -> Floats:
    """The deviation, multiplied by the scale factor of the forests (at least 0.5).

    The deviation alone where it is ordinary and at positions before `first`.

    Args:
        measured: The readings at n positions.
        keys: Shape (n,): each position's forest.
        forests: The forests.
        first: The first position that the forests score.
        trees: As for `Forests.depth_shares`.
    """
    size = deviation(measured)
    unusual = first + np.flatnonzero(size[first:] >= ORDINARY)
    scores = size.copy()
    if len(unusual):
        shares = forests.depth_shares(measured.rows[unusual], keys[unusual], trees)
        scores[unusual] *= np.maximum(2.0 - shares, LEAST_SCALE_FACTOR)
    return scores


def robust_z_scores(measured: Measured) -> Floats:
    """The absolute robust z-score against the slot's median and the last week's level."""
    return np.where(np.isnan(measured.week), 0.0, np.abs(measured.week))
