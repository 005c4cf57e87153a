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
"""The week that a model judges and those that its context reaches back to."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """What readings are compared with. `steps` is the number of intervals a day.

    Attributes:
        until_day: The first local day that the model has not seen, in days since 1970-01-01.
        expected: Shape (`WEEKS_KEPT`, 7, steps): kW by weekday. The first is for `until_day` on;
            each further one is for a week earlier, as it was expected before that week.
        spread: Shape (3, steps): usual error by day type, kW.
        weights: How levels carry over.
        long_spread: Shape (3, steps): usual error against the levels of days and weeks, in spreads.
        short_spread: The same against the last hours.
        week_spread: The same against the last week's level alone.
        long_noise: Usual size of an hour's mean error in `long_spread`.
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
        until: End of the readings it has seen, ns since 1970 UTC; it judges from there on.
        days_learned: Days with readings that it has seen.
        days_left: How many more days it needs before it judges by more than rules; 0 when ready.
        baseline: None while it is learning.
        forests: None while it is learning, and for other methods.
        threshold: A score from here on is odd; inf while it is learning.
        flatline_after: A run of so many equal readings is odd.
        zeros_are_usual: Shape (3, 24), by day type and hour: 0 kW says nothing there.
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
