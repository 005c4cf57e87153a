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
"""Weeks with expected values of their own: the one after the history, and those that the context of
its readings reaches back to."""


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
        calendar: Its rest days.
        method: How oddness is measured.
        tuning: What the user chose.
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
