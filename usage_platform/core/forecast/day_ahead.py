"""The next 24 hours of a meter's power: the detector's expectation carried forward.

Belongs here: how much of each level carries over to the next 24 hours, and the forecast of past
windows by what was known at their start. Not here: the levels (`levels`), the range (`ranges`).

The weights are learned each Monday from the sixteen weeks before it, by robust regression
(`detector.robust`), for working and rest days and for each six hours of the window. Every window is
forecast by the weights and expected values of its week, whether it is the next one or a past one:
errors of past windows are those that a forecast made then would have had.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.expected import WINDOW_DAYS, day_type
from usage_platform.core.detector.features import SAME_DAYS_WITHIN
from usage_platform.core.detector.robust import robust_regression, robust_size
from usage_platform.core.forecast.levels import LEVELS, expected_by_week, expected_of, levels
from usage_platform.core.forecast.windows import Windows

LEARNED_DAYS = 112
"""Windows from which weights are learned, and errors used for the range: sixteen weeks."""

HISTORY_DAYS = 2 * LEARNED_DAYS + WINDOW_DAYS + SAME_DAYS_WITHIN + 14
"""Days of readings that a forecast depends on; older ones change nothing."""

_QUARTERS = 4
_LEAST_HOURS = 60
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class WindowForecasts:
    """Forecasts of windows, each by what was known at its start.

    Attributes:
        windows: The windows; n of them.
        tables: Shape (weeks, 7, steps), kW: the expected values of each week without levels.
        power: Shape (n, steps), kW; NaN where too little was known.
    """

    windows: Windows
    tables: Floats
    power: Floats

    @property
    def errors(self) -> Floats:
        """Shape (n, steps), kW: reading minus forecast; NaN where one of them is unknown."""
        return self.windows.values - self.power


def forecast_windows(windows: Windows, last: int | None = None) -> WindowForecasts:
    """The forecast of the last window, and of those before it as they were made.

    Args:
        windows: The windows.
        last: How many of the last windows are forecast; all of them by default.
    """
    tables = expected_by_week(windows)
    expected = expected_of(windows, tables)
    residuals = windows.values - expected
    before = levels(windows, residuals)
    first = 0 if last is None else max(0, len(expected) - last)
    power = np.full(expected.shape, np.nan)
    power[first:] = expected[first:]
    works = day_type(windows.weekday_at) == 0
    number = windows.week - windows.week[0]
    hourly, hourly_before, hourly_works = _by_hour(windows, residuals, before, works)
    for week in np.unique(number[first:]):
        rows = np.flatnonzero(number == week)
        past = slice(max(0, int(rows[0]) - LEARNED_DAYS), int(rows[0]))
        for columns, hours in _quarters(windows):
            for kind in (True, False):
                use = (hourly_works[past, hours] == kind) & ~np.isnan(hourly[past, hours])
                weights = _weights(hourly_before[:, past, hours][:, use], hourly[past, hours][use])
                carried = np.tensordot(weights, before[:, rows, columns], axes=1)
                power[rows, columns] += np.where(works[rows, columns] == kind, carried, 0.0)
    if not (windows.values < 0).any():
        power = np.maximum(power, 0.0)
    return WindowForecasts(windows, tables, power)


def _weights(before: Floats, target: Floats) -> Floats:
    """Shape (`LEVELS`,): how much of each level carries over; 0 with too few hours."""
    if len(target) < _LEAST_HOURS:
        return np.zeros(LEVELS)
    unit = robust_size(target)
    return robust_regression(before.T / unit, target / unit)


def _by_hour(
    windows: Windows, residuals: Floats, before: Floats, works: _Mask
) -> tuple[Floats, Floats, _Mask]:
    """Means by hour of the window: the weights are the same, and learned in a tenth of the time."""
    per_hour = windows.meter.readings_per_hour
    blocks = residuals.reshape(len(residuals), 24, per_hour)
    known = np.count_nonzero(~np.isnan(blocks), axis=2)
    means = np.where(known > 0, np.nansum(blocks, axis=2) / np.maximum(known, 1), np.nan)
    of_levels = before.reshape(LEVELS, len(residuals), 24, per_hour).mean(axis=3)
    return means, of_levels, works[:, ::per_hour]


def _quarters(windows: Windows) -> Iterator[tuple[slice, slice]]:
    """The columns of each six hours of a window, and the same by hour."""
    per_hour = windows.meter.readings_per_hour
    hours = 24 // _QUARTERS
    for first in range(0, 24, hours):
        yield (
            slice(first * per_hour, (first + hours) * per_hour),
            slice(first, first + hours),
        )
