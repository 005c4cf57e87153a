"""The choices a user makes about the detector: one value from the settings to the stored model.

Belongs here: the options and what values they may have. Not here: which models are trained
(`services.train.TrainingRequest`), what people's labels say (`core.feedback.labels`).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from usage_platform.core.time.calendar import Calendar


class Method(StrEnum):
    """How the anomaly score is computed.

    `forest` and `robust_z` have the same rules and calibration around them; `blog` is the baseline
    of `detector.baseline` and has no `DetectorModel`.
    """

    FOREST = "forest"
    ROBUST_Z = "robust_z"
    BLOG = "blog"


@dataclass(frozen=True)
class TrainingOptions:
    """How models are trained.

    A model's version is a hash of these values in this order (`manifest.model_version`): fields may
    be renamed, but neither reordered nor added without giving every model a new version.

    Attributes:
        calendar: Days on which the buildings rest; `blog` does not use it.
        method: How the anomaly score is computed.
        false_alarms_per_week: The alarm budget: days a week on which a healthy meter may raise an
            alarm; above 0, below 7. `blog` does not use it.
        minimum_relative_deviation: The smallest deviation that is reported, as a share of the
            expected power; at least 0, below 1. `blog` does not use it.

    Raises:
        ValueError: In one line, for a budget or a share out of its range.
    """

    calendar: Calendar = field(default_factory=Calendar)
    method: Method = Method.FOREST
    false_alarms_per_week: float = 0.5
    minimum_relative_deviation: float = 0.05

    def __post_init__(self) -> None:
        budget, share = self.false_alarms_per_week, self.minimum_relative_deviation
        if not 0 < budget < 7 or not 0 <= share < 1:
            raise ValueError(
                "detector: expected false alarms a week above 0 and below 7 and a minimum relative "
                f"deviation of 0 to 1, got {budget} and {share}"
            )
