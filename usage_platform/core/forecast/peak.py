"""How likely the next 24 hours bring a new peak of the month.

Belongs here: the distribution of a window's highest reading. Not here: the forecast (`day_ahead`).

The highest reading of a day is no reading of its own kind: it is the highest of many, each with an
error. So its distribution comes from the errors of past windows' highest readings, not from the
range of single intervals (conformal predictive distribution: V. Vovk et al., "Nonparametric
predictive distributions based on conformal prediction", Machine Learning 2019).
"""

import numpy as np

from usage_platform.core.detector.expected import day_type
from usage_platform.core.forecast.day_ahead import LEARNED_DAYS, WindowForecasts
from usage_platform.core.forecast.ranges import LEAST_ERRORS

_WHOLE_SHARE = 0.9


def peak_probability(forecasts: WindowForecasts, row: int, peak_kw: float) -> float | None:
    """The probability that a reading of a window is above a power.

    Args:
        forecasts: Forecasts of the window and of those before it.
        row: The window.
        peak_kw: The power, such as the month's peak so far.

    Returns:
        Above 0 and below 1; None with too few past windows. The errors are those of the last
        sixteen weeks, of working days for a working day and of rest days for another.
    """
    windows = forecasts.windows
    power = forecasts.power[row]
    past = np.arange(max(0, row - LEARNED_DAYS), row)
    values, before = windows.values[past], forecasts.power[past]
    whole = np.count_nonzero(~np.isnan(values), axis=1) >= _WHOLE_SHARE * values.shape[1]
    use = whole & ~np.isnan(before).any(axis=1)
    if np.count_nonzero(use) < LEAST_ERRORS or np.isnan(power).any():
        return None
    main = windows.weekdays[0 if 2 * windows.split >= values.shape[1] else 1]
    works = day_type(main) == 0
    alike = use & (works[past] == works[row])
    use = alike if alike.any() else use
    errors = np.nanmax(values[use], axis=1) - before[use].max(axis=1)
    above = int(np.count_nonzero(power.max() + errors > peak_kw))
    return (above + 0.5) / (len(errors) + 1)
