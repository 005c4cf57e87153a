"""The range in which a forecast's readings lie 90 % of the time, from the errors of past forecasts.

Belongs here: the range of each interval, and where past errors put its ends. Not here: the errors
(`day_ahead`), the ranges of a month's energy and of the peak, which have errors of their own
(`month_end`, `peak`).

Source: split conformal prediction with locally scaled errors: V. Vovk, A. Gammerman, G. Shafer,
"Algorithmic Learning in a Random World", 2005; J. Lei et al., "Distribution-Free Predictive
Inference for Regression", JASA 2018, section 5.2. Its guarantee needs errors that could have come
in any order. Those of a meter follow each other, so that the share it really covers is measured
(docs/evaluation.md).
"""

import math

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.expected import day_type, spreads
from usage_platform.core.forecast.day_ahead import LEARNED_DAYS, WindowForecasts

COVERED = 0.9
"""The share of readings that a range is to hold."""

LEAST_ERRORS = 28
"""Windows with an error that a range needs."""


def conformal_range(errors: Floats, covered: float = COVERED) -> tuple[float, float]:
    """The errors between which the next one lies with a probability of at least `covered`.

    Args:
        errors: Shape (n,), finite, at least one.
        covered: Above 0 and below 1; equal shares are left out at both ends.

    Returns:
        The order statistics floor((n + 1) a) and ceil((n + 1) (1 - a)) with a = (1 - covered) / 2;
        the smallest and the largest error where there are too few.
    """
    ordered = np.sort(errors)
    left_out = (1 - covered) / 2
    low = max(1, math.floor((len(ordered) + 1) * left_out))
    high = min(len(ordered), math.ceil((len(ordered) + 1) * (1 - left_out)))
    return float(ordered[low - 1]), float(ordered[high - 1])


def range_of(forecasts: WindowForecasts, row: int) -> tuple[Floats, Floats] | None:
    """The range of a window, from the errors of the sixteen weeks before it.

    Args:
        forecasts: Forecasts of the window and of those before it.
        row: The window.

    Returns:
        Two of shape (steps,), kW; None with less than `LEAST_ERRORS` windows with errors.
    """
    past = slice(max(0, row - LEARNED_DAYS), row)
    errors, power = forecasts.errors[past], forecasts.power[row]
    if np.count_nonzero(~np.isnan(errors).all(axis=1)) < LEAST_ERRORS or np.isnan(power).all():
        return None
    scaled = np.empty_like(errors)
    scales = np.empty_like(power)
    for steps, weekday in forecasts.windows.parts:
        sizes = spreads(errors[:, steps], weekday[past], np.abs(power[steps]))
        scaled[:, steps] = errors[:, steps] / sizes[day_type(weekday[past])]
        scales[steps] = sizes[day_type(weekday[row : row + 1])[0]]
    below, above = conformal_range(scaled[~np.isnan(scaled)])
    low, high = power + below * scales, power + above * scales
    if not (forecasts.windows.values < 0).any():
        low = np.maximum(low, 0.0)
    return low, high
