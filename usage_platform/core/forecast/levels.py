"""What is expected of a window, and how the windows before it differed from what was expected.

Belongs here: the detector's expected values and levels as they are known when a window begins. Not
here: how much of each level carries over to the window (`day_ahead`).

The detector's levels follow a reading by hours; a forecast has the levels at its start only. Two
more are added that matter for a day: the last day of the type and the last one of the weekday.
"""

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import WINDOW_DAYS, day_type, slot_medians
from usage_platform.core.detector.features import SAME_DAYS_WITHIN, around, median_of_last
from usage_platform.core.forecast.windows import Windows

LEAST_DAYS = 28
"""Windows before a week from which its expected values are computed, at least."""

LEVELS = 7
_EVENING_SHARE = 4
_WEEK = 7
_LEAST_OF_WEEK = 3


def expected_by_week(windows: Windows) -> Floats:
    """The expected values of each week, from the eight weeks before it.

    Returns:
        Shape (weeks, 7, steps), kW, in the order of `windows.week`: by the weekday of the step; NaN
        for a week with less than `LEAST_DAYS` windows before it.
    """
    week = windows.week
    weeks = int(week[-1]) - int(week[0]) + 1
    tables = np.full((weeks, 7, windows.values.shape[1]), np.nan)
    for number in range(len(tables)):
        monday = int(np.searchsorted(week, int(week[0]) + number))
        if monday < LEAST_DAYS:
            continue
        past = slice(max(0, monday - WINDOW_DAYS), monday)
        for steps, weekday in windows.parts:
            tables[number, :, steps] = slot_medians(windows.values[past, steps], weekday[past])[0]
    return tables


def expected_of(windows: Windows, tables: Floats) -> Floats:
    """Shape (n, steps), kW: what is expected of each window by the table of its week."""
    number = windows.week - windows.week[0]
    columns = np.arange(windows.values.shape[1], dtype=np.int64)
    return tables[number[:, None], windows.weekday_at, columns]


def levels(windows: Windows, residuals: Floats) -> Floats:
    """How the windows before each one differed from what was expected of them.

    Args:
        windows: The windows.
        residuals: Shape (n, steps), kW: reading minus expected value, NaN where unknown.

    Returns:
        Shape (`LEVELS`, n, steps), kW; 0 where unknown: the mean of the last 24 hours and of the
        last six, the last 24 hours by step, the median of the last seven days, the median of the
        last four days of the type, the last day of the type, and the last one of the weekday.
    """
    size = residuals.shape[1]
    near = around(residuals, max(1, windows.meter.readings_per_hour // 2))
    day = _mean(residuals)
    evening = _mean(residuals[:, size - size // _EVENING_SHARE :])
    week = pd.Series(day).rolling(_WEEK, min_periods=_LEAST_OF_WEEK).median().to_numpy()
    before = [np.repeat(one[:, None], size, axis=1) for one in (day, evening, week)]
    found = np.zeros((LEVELS, *residuals.shape))
    for place, one in enumerate([*before, near]):
        found[place, 1:] = one[:-1]
    for steps, weekday in windows.parts:
        kinds = day_type(weekday)
        for kind in np.unique(kinds):
            rows = np.flatnonzero(kinds == kind)
            found[4, rows, steps] = median_of_last(near[rows, steps], rows)
        found[5, :, steps] = _last_alike(near[:, steps], kinds)
        found[6, :, steps] = _last_alike(near[:, steps], weekday)
    return np.nan_to_num(found, copy=False)


def _last_alike(values: Floats, kinds: Ints) -> Floats:
    """Each row's last row of its kind, at most four weeks before; NaN without one."""
    found = np.full_like(values, np.nan)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        recent = np.diff(rows) <= SAME_DAYS_WITHIN
        found[rows[1:][recent]] = values[rows[:-1][recent]]
    return found


def _mean(values: Floats) -> Floats:
    """Mean of each row's known values; NaN where none is known."""
    known = np.count_nonzero(~np.isnan(values), axis=1)
    return np.where(known > 0, np.nansum(values, axis=1) / np.maximum(known, 1), np.nan)
