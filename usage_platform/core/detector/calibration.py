"""A bar from the past that is crossed as often as the user allows, faults in the past or not.

Belongs here: from the daily maxima of a score to the bar for a budget. Not here: the scores.

The largest of a day's scores follows about a Gumbel distribution, and so does its logarithm, with a
heavier tail: real meters have it. Its two parameters are read off the quieter days (quantiles 0.25
and 0.65), which faults on up to a third of all days do not touch, and the bar is where that curve
is crossed on `budget / 7` of the days. A quantile taken at the bar itself would be one of faults.

Source: Gumbel, "Statistics of Extremes", 1958; fit from two quantiles.
"""

import math

import numpy as np

from usage_platform.core.arrays import Floats

_QUANTILES = (0.25, 0.65)
_SMALLEST = 1e-6


def threshold_for_budget(daily_maxima: Floats, per_week: float) -> float:
    """The bar that clean days cross `per_week` times a week.

    Args:
        daily_maxima: The largest score of each day, at least one; not negative.
        per_week: Days a week on which the bar may be crossed, above 0 and below 7.

    Returns:
        The bar, in the unit of the scores.
    """
    logs = np.log(np.maximum(daily_maxima, _SMALLEST))
    low, high = (float(q) for q in np.quantile(logs, _QUANTILES))
    low_at, high_at = (_reduced(q) for q in _QUANTILES)
    scale = (high - low) / (high_at - low_at)
    return math.exp(low + scale * (_reduced(1 - per_week / 7) - low_at))


def _reduced(share: float) -> float:
    """Where the standard Gumbel distribution has this share below."""
    return -math.log(-math.log(share))
