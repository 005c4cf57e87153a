"""What the detector has learned of one meter.

Belongs here: the model's fields. Not here: how they are learned (`train`) and used (`score`), what
a user chooses (`options`), where models are kept (adapters).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.features import CONTEXT_DAYS
from usage_platform.core.detector.forest import Forests
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.residuals import Weights
from usage_platform.core.meters import Meter

WEEKS_KEPT = 1 + -(-CONTEXT_DAYS // 7)
"""Weeks with expected values of their own: the one after the history, and those that the context of
its readings reaches back to."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """The expected values of a meter and the usual sizes of errors; a day has `steps` intervals.

    Attributes:
        until_day: The first local day after the history, in days since 1970-01-01.
        expected: Shape (`WEEKS_KEPT`, 7, steps), kW: expected values by weekday, without levels.
            The first are for days from `until_day` on; each of the others for the week before the
            last, from the history before that week.
        spread: Shape (3, steps), kW: usual error by day type.
        weights: How much of each level carries over.
        long_spread: Shape (3, steps), in spreads: usual daily residual.
        short_spread: Shape (3, steps), in spreads: usual quick residual.
        week_spread: Shape (3, steps), in spreads: usual error against the last week's level alone.
        long_noise: Usual mean absolute error of an hour, in `long_spread`.
        short_noise: The same in `short_spread`.
    """

    until_day: int
    expected: Floats
    spread: Floats
    weights: Weights
    long_spread: Floats
    short_spread: Floats
    week_spread: Floats
    long_noise: float
    short_noise: float


@dataclass(frozen=True, eq=False)
class DetectorModel:
    """One meter's detector.

    Attributes:
        meter: The meter it was trained for.
        options: How it was trained.
        until: End of its history, ns since 1970 UTC.
        days_learned: Days of its history with readings.
        days_left: Days of history that are missing before it has expected values; 0 if it has them.
        baseline: None while it is learning: too little history, rules only.
        forests: None while it is learning, and for other methods than `forest`.
        threshold: The score from which on a reading is anomalous; inf while it is learning.
        flatline_after: The number of equal readings in a row from which on they are a flatline.
        zeros_are_usual: bool, shape (3, 24), by day type and local hour: 0 kW is usual there.
    """

    meter: Meter
    options: TrainingOptions
    until: int
    days_learned: int
    days_left: int
    baseline: Baseline | None
    forests: Forests | None
    threshold: float
    flatline_after: int
    zeros_are_usual: npt.NDArray[np.bool_]
