"""By which power of its work the cost of a stage grows.

Belongs here: the fit. Not here: measuring.
"""

from collections.abc import Sequence

import numpy as np

_LEAST_SHARE = 0.1
_LEAST_SECONDS = 0.2


def exponent(work: Sequence[float], cost: Sequence[float]) -> float | None:
    """The exponent e of cost = a + b * work ** e, where a is what the work does not change.

    The smallest point stands for the constant part: it is subtracted from the work and the cost of
    all others, and the slope of the rest in log-log space is fitted by least squares. With e = 1
    the slope is exactly 1 whatever a is; without the subtraction a large constant part would hide
    any growth. Points are left out whose added cost is less than a tenth of the constant part or
    than 0.2 s: noise of that size would decide the slope.

    Args:
        work: The sizes, such as numbers of meters; ascending.
        cost: The cost of each, such as CPU seconds.

    Returns:
        The exponent; None where fewer than two points are left, as of a stage whose cost does not
        grow.
    """
    if len(work) < 3:
        return None
    added_work = np.asarray(work[1:], dtype=np.float64) - work[0]
    added_cost = np.asarray(cost[1:], dtype=np.float64) - cost[0]
    is_clear = added_cost > max(_LEAST_SHARE * cost[0], _LEAST_SECONDS)
    if is_clear.sum() < 2:
        return None
    slope, _ = np.polyfit(np.log(added_work[is_clear]), np.log(added_cost[is_clear]), 1)
    return float(slope)


def expected_cost(work: Sequence[float], cost: Sequence[float], next_work: float) -> float | None:
    """What a larger size will cost if each further unit costs as much as those before did.

    Args:
        work: The sizes that were measured, ascending.
        cost: The cost of each.
        next_work: The larger size.

    Returns:
        The cost; None before the second size.
    """
    if len(work) < 2:
        return None
    each = (cost[-1] - cost[0]) / (work[-1] - work[0])
    return cost[0] + max(each, 0.0) * (next_work - work[0])
