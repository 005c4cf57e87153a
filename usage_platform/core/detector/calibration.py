"""The threshold of the anomaly score for an alarm budget, robust against faults in the history.

Belongs here: from the daily maxima of a score to its threshold. Not here: the scores.

The daily maximum of a score approximately follows a Gumbel distribution; the maxima of real meters
have a heavier tail, as their logarithm follows it. The two parameters come from the quantiles 0.25
and 0.65 of the daily maxima, which faults on up to a third of all days do not change. The threshold
is the value that this distribution exceeds on `budget / 7` of the days. The empirical quantile at
the threshold itself would be determined by the faults.

Source: Gumbel, "Statistics of Extremes", 1958; fit from two quantiles.
"""

import math

import numpy as np

from usage_platform.core.arrays import Floats

_QUANTILES = (0.25, 0.65)
_SMALLEST = 1e-6


def threshold_for_budget(daily_maxima: Floats, per_week: float) -> float:
    """The threshold that days without faults exceed `per_week` times a week.

    Args:
        daily_maxima: The largest score of each day, at least one; not negative.
        per_week: The budget: days a week that may exceed it, above 0 and below 7.

    Returns:
        The threshold, in the unit of the scores.
    """
    logs = np.log(np.maximum(daily_maxima, _SMALLEST))
    low, high = (float(q) for q in np.quantile(logs, _QUANTILES))
    low_at, high_at = (_reduced(q) for q in _QUANTILES)
    scale = (high - low) / (high_at - low_at)
    return math.exp(low + scale * (_reduced(1 - per_week / 7) - low_at))


def _reduced(share: float) -> float:
    """The quantile of the standard Gumbel distribution."""
    return -math.log(-math.log(share))
