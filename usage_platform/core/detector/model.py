"""What the detector has learned of one meter, and what its user asks for.

Belongs here: the model's fields and its settings. Not here: how they are learned (`train`) and
used (`score`), where models are kept (adapters).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.features import CONTEXT_DAYS
from usage_platform.core.detector.forest import Forests
from usage_platform.core.detector.residuals import Weights
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar

WEEKS_KEPT = 1 + -(-CONTEXT_DAYS // 7)
"""The week that a model judges and those that its context reaches back to."""


class Method(StrEnum):
    """How oddness is measured.

    `forest` and `robust_z` have the same rules and calibration around them; `blog` is the baseline
    of `detector.blog` and has no `DetectorModel`.
    """

    FOREST = "forest"
    ROBUST_Z = "robust_z"
    BLOG = "blog"


@dataclass(frozen=True)
class Tuning:
    """What a user chooses.

    Attributes:
        false_alarms_per_week: Days a week on which a healthy meter may raise an alarm.
        least_share: A reading nearer to what is expected than this share of it is never odd: it
            would not be worth a walk.
    """

    false_alarms_per_week: float = 0.5
    least_share: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.false_alarms_per_week < 7 or not 0 <= self.least_share < 1:
            raise ValueError(
                "detector: expected false alarms a week above 0 and below 7 and a least share of 0 "
                f"to 1, got {self.false_alarms_per_week} and {self.least_share}"
            )


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
        calendar: Its rest days.
        method: How oddness is measured.
        tuning: What the user chose.
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
    calendar: Calendar
    method: Method
    tuning: Tuning
    until: int
    days_learned: int
    days_left: int
    baseline: Baseline | None
    forests: Forests | None
    threshold: float
    flatline_after: int
    zeros_are_usual: npt.NDArray[np.bool_]
