"""A month's energy at its end: what has been used, and what the rest of the month will add.

Belongs here: the energy of the remaining windows with a range, from what earlier forecasts over
as many windows missed. Not here: the next 24 hours by interval (`day_ahead`).

Farther ahead than a day, today's load hardly says more than the last week's level. So the rest of a
month is the week's expected values, at the level of the last seven days.

The level and the errors of a meter that only consumes are shares of what is expected. Of a net
meter that may be near 0 or below it, where a share says nothing: they are differences.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.grid import weekdays_of
from usage_platform.core.forecast.day_ahead import WindowForecasts
from usage_platform.core.forecast.levels import expected_of
from usage_platform.core.forecast.ranges import LEAST_ERRORS, conformal_range

ERROR_DAYS = 182
"""Earlier forecasts from whose errors the range is taken: half a year of them."""

_WHOLE_SHARE = 0.9
_LEVEL_DAYS = 7
_LEAST_LEVEL_DAYS = 3
_LEVEL_LIMITS = (0.5, 2.0)


@dataclass(frozen=True)
class EnergyRange:
    """An energy with the range that holds it with a probability of 90 %, kWh."""

    kwh: float
    low_kwh: float
    high_kwh: float


def energy_ahead(forecasts: WindowForecasts, row: int, steps: int) -> EnergyRange | None:
    """The energy of the steps from the start of a window on.

    Args:
        forecasts: Forecasts of the window and of those before it.
        row: The window.
        steps: How many steps, 1 or more: those of whole windows and a part of the last one.

    Returns:
        None with too little history, or less than `LEAST_ERRORS` earlier windows of which all that
        followed is known.
    """
    made = np.arange(max(0, row - ERROR_DAYS), row + 1)
    is_net = forecasts.windows.meter.is_net
    expected = _expected_energy(forecasts, made, steps)
    if is_net:
        expected = expected + _shift(forecasts, made) * steps
    else:
        expected = expected * _level(forecasts, made)
    actual = _actual_energy(forecasts, made, row, steps)
    known = np.isfinite(actual) & np.isfinite(expected) & (is_net | (expected > 0))
    if np.count_nonzero(known) < LEAST_ERRORS or not np.isfinite(expected[-1]):
        return None
    kwh = float(expected[-1])
    if is_net:
        low, high = conformal_range(actual[known] - expected[known])
        return EnergyRange(kwh, kwh + low, kwh + high)
    low, high = conformal_range(actual[known] / expected[known])
    return EnergyRange(kwh, low * kwh, high * kwh)


def _expected_energy(forecasts: WindowForecasts, made: Ints, steps: int) -> Floats:
    """kWh, shape (made,): what the week of each window expects of the steps from it on."""
    windows = forecasts.windows
    whole, rest = divmod(steps, forecasts.power.shape[1])
    first = windows.first_day + int(made[0])
    weekday = weekdays_of(first + np.arange(len(made) + whole + 1), windows.calendar)
    ahead = np.arange(len(made))[:, None] + np.arange(whole + 1)
    number = windows.week[made] - windows.week[0]
    sums = np.zeros(len(made))
    for after_midnight, part in enumerate(
        (slice(0, windows.split), slice(windows.split, forecasts.power.shape[1]))
    ):
        days = weekday[ahead + after_midnight]
        of_day = forecasts.tables[:, :, part].sum(axis=2)
        of_rest = forecasts.tables[:, :, part.start : min(part.stop, max(part.start, rest))]
        sums += of_day[number[:, None], days[:, :whole]].sum(axis=1)
        sums += of_rest.sum(axis=2)[number, days[:, whole]]
    return sums / windows.meter.readings_per_hour


def _actual_energy(forecasts: WindowForecasts, made: Ints, row: int, steps: int) -> Floats:
    """kWh, shape (made,): the energy of the steps from each window on.

    NaN where a window has less than nine in ten of its readings, or ends after `row` begins.
    """
    values = forecasts.windows.values[: row + 1]
    whole, rest = divmod(steps, values.shape[1])
    per_hour = forecasts.windows.meter.readings_per_hour
    # A window that is not over adds NaN to every sum that it is in.
    ends = np.full(whole + 1, np.nan)
    of_window = np.concatenate([_energy(values, per_hour), ends])
    of_window[row] = np.nan
    of_rest = np.concatenate([_energy(values[:, :rest], per_hour), ends])
    of_rest[row] = np.nan
    ahead = made[:, None] + np.arange(whole)
    return of_window[ahead].sum(axis=1) + (of_rest[made + whole] if rest else 0.0)


def _energy(values: Floats, per_hour: int) -> Floats:
    """KWh of each row, missing readings as the mean of the others; NaN with too many missing."""
    known = np.count_nonzero(~np.isnan(values), axis=1)
    mean = np.nansum(values, axis=1) / np.maximum(known, 1)
    enough = known >= _WHOLE_SHARE * values.shape[1]
    return np.where(enough, mean, np.nan) * values.shape[1] / per_hour


def _shift(forecasts: WindowForecasts, made: Ints) -> Floats:
    """Shape (made,): by how much the last seven days were above what was expected, kWh a step."""
    windows = forecasts.windows
    size, per_hour = windows.values.shape[1], windows.meter.readings_per_hour
    expected = expected_of(windows, forecasts.tables).sum(axis=1) / per_hour
    missed = pd.Series((_energy(windows.values, per_hour) - expected) / size)
    shift = missed.rolling(_LEVEL_DAYS, min_periods=_LEAST_LEVEL_DAYS).median().shift(1)
    return shift.fillna(0.0).to_numpy(np.float64)[made]


def _level(forecasts: WindowForecasts, made: Ints) -> Floats:
    """Shape (made,): how high the last seven days were, as a share of what was expected."""
    expected = expected_of(forecasts.windows, forecasts.tables).sum(axis=1)
    per_hour = forecasts.windows.meter.readings_per_hour
    share = np.full(len(expected), np.nan)
    np.divide(
        _energy(forecasts.windows.values, per_hour) * per_hour,
        expected,
        out=share,
        where=expected > 0,
    )
    level = pd.Series(share).rolling(_LEVEL_DAYS, min_periods=_LEAST_LEVEL_DAYS).median().shift(1)
    return level.clip(*_LEVEL_LIMITS).fillna(1.0).to_numpy(np.float64)[made]
