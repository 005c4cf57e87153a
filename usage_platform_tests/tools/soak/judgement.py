"""Whether a series of measurements stays flat, or creeps up as if it would never stop.

Belongs here: pure arithmetic. Not here: measuring (`gauges`), which series there are (`series`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.stats import theilslopes

LEAST_POINTS = 5
MOST_RISE = 0.2
"""A series may rise by this share of its level over the half that is judged."""


class Outcome(StrEnum):
    """What is said of a series."""

    FLAT = "flat"
    RISES = "RISES"
    UNKNOWN = "too few points"


@dataclass(frozen=True)
class Judgement:
    """What is said of one series.

    Attributes:
        outcome: Flat, or rising, or too short to say.
        level: Median over the second half, in the series' unit; NaN when too short.
        rise: How much the series rises over the second half, in the series' unit; NaN when too
            short.
    """

    outcome: Outcome
    level: float
    rise: float


def judge(
    minutes: Sequence[float], values: Sequence[float] | npt.NDArray[np.float64], slack: float
) -> Judgement:
    """Judge one series by its second half, the first being warm-up.

    It rises when the Theil-Sen slope (the median of the slopes between all pairs of points: Sen,
    "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968), over the whole half,
    makes more than `MOST_RISE` of the half's median and more than `slack`, and when the lower end
    of the slope's 95 % interval is above 0. A series that falls is flat: what is to be found is
    what grows for ever.

    Args:
        minutes: When each was measured.
        values: What was measured; NaN where there was nothing to measure.
        slack: A rise of less, in the series' unit, is never one.
    """
    at, seen = np.asarray(minutes, float), np.asarray(values, float)
    late = (at >= at.max(initial=0) / 2) & np.isfinite(seen)
    at, seen = at[late], seen[late]
    if len(at) < LEAST_POINTS:
        return Judgement(Outcome.UNKNOWN, np.nan, np.nan)
    slope, _, lowest, _ = map(float, theilslopes(seen, at))
    level, rise = float(np.median(seen)), float(slope * np.ptp(at))
    rises = lowest > 0 and rise > max(MOST_RISE * abs(level), slack)
    return Judgement(Outcome.RISES if rises else Outcome.FLAT, level, rise)
