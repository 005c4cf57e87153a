"""Expected values at each step of the local week, and the usual size of the errors.

Belongs here: expected values and spreads from past readings, robust against faults in them. Not
here: the levels of the last days (`features`), the anomaly score (`anomaly_score`, `rules`).

A slot is a weekday and a step of the day; a step is one interval of the local day.

Source of the robust spread: Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation",
JASA 1993 (1.4826 makes the median absolute deviation a standard deviation for normal errors).
"""

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.grid import SUNDAY, Grid

WINDOW_DAYS = 56
"""Days of history for an expected value: eight of each weekday. A median of eight withstands three
faults, and eight weeks still follow the seasons."""

MIN_COMPARABLES = 4
"""A slot with fewer past readings (neighbouring steps included) has no median of its own."""

WEEKDAY_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Candidates for the weight of a weekday's own median against that of Mondays to Fridays together;
training chooses one."""

SUN_HOURS = 2
"""How far the sun and the change of the clocks move what is usual of a net meter at a time of day,
within the weeks of an expected value."""

DAY_TYPES = 3
_SATURDAY = 5
_POOLED_MINUTES = 30
_FLOOR_SHARE = 0.01
_TO_DEVIATION = 1.4826


def day_type(weekday: Ints) -> Ints:
    """0 for Monday to Friday, 1 for Saturday, 2 for Sunday and rest days."""
    return np.maximum(weekday - _SATURDAY + 1, 0)


def days_by_step(grid: Grid) -> tuple[Floats, Ints]:
    """The readings as a table of whole local days.

    Of a local hour that occurs twice the second occurrence is kept; one that is skipped is NaN.

    Returns:
        float64, shape (days, steps of a day), kW; and int64, shape (days,), each day's weekday.
    """
    rows = grid.day - grid.day[0]
    per_day = 24 * grid.meter.readings_per_hour
    table = np.full((int(rows[-1]) + 1, per_day), np.nan)
    table[rows, grid.step] = grid.values
    weekday = np.zeros(len(table), dtype=np.int64)
    weekday[rows] = grid.weekday
    return table, weekday


def slot_medians(table: Floats, weekday: Ints) -> tuple[Floats, Floats]:
    """Each slot's median over days, pooled with the steps before and after it.

    Args:
        table: Shape (days, steps), kW, NaN where there is no reading.
        weekday: Shape (days,).

    Returns:
        Two of shape (7, steps), kW: by weekday, and by its day type (Mondays to Fridays together).
        A weekday with too few readings takes the median of its day type, a day type with too few
        that of all days.
    """
    edge = np.full((len(table), 1), np.nan)
    before = np.hstack([edge, table[:, :-1]])
    after = np.hstack([table[:, 1:], edge])
    pooled = np.stack([before, table, after], axis=2)
    of_all_days = _median(pooled)
    kinds = day_type(weekday)
    medians = [_median(pooled[kinds == kind], of_all_days) for kind in range(DAY_TYPES)]
    by_type = [medians[max(day - 4, 0)] for day in range(SUNDAY + 1)]
    by_weekday = [_median(pooled[weekday == day], by_type[day]) for day in range(SUNDAY + 1)]
    return np.array(by_weekday), np.array(by_type)


def spreads(errors: Floats, weekday: Ints, size: Floats, is_net: bool = False) -> Floats:
    """The usual size of an error at each step, by day type.

    Args:
        errors: Shape (days, steps), NaN where unknown.
        weekday: Shape (days,).
        size: Shape (steps,): the expected value; a spread is at least 1 % of its size.
        is_net: Whether it is a net meter's: then a step's spread is the largest within `SUN_HOURS`
            of it, as the sun will do there within weeks what it does here now.

    Returns:
        Shape (3, steps), in the unit of the errors, above 0.
    """
    steps = errors.shape[1]
    reach = max(1, _POOLED_MINUTES * steps // 1440)
    kinds = day_type(weekday)
    size = np.abs(size)
    floor = _FLOOR_SHARE * np.maximum(size, np.median(size))
    of_all_days = _spread(np.abs(errors), reach, np.zeros_like(size))
    by_type = [
        _spread(np.abs(errors[kinds == kind]), reach, of_all_days) for kind in range(DAY_TYPES)
    ]
    found = np.maximum(np.array(by_type), np.where(floor > 0, floor, _FLOOR_SHARE))
    return _widest(found, SUN_HOURS * steps // 24) if is_net else found


def _widest(by_type: Floats, reach: int) -> Floats:
    """The largest spread at most `reach` steps away, by day type and step."""
    padded = np.pad(by_type, ((0, 0), (reach, reach)), mode="wrap")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1).max(axis=2)


def _spread(sizes: Floats, reach: int, otherwise: Floats) -> Floats:
    padded = np.pad(sizes, ((0, 0), (reach, reach)), mode="wrap")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
    return _TO_DEVIATION * _median(windows, otherwise / _TO_DEVIATION)


def _median(pooled: Floats, otherwise: Floats | None = None) -> Floats:
    """Median by step of a (days, steps, neighbours) array; `otherwise` where too few are known."""
    flat = np.moveaxis(pooled, 1, 0).reshape(pooled.shape[1], -1)
    flat = np.sort(flat, axis=1)  # NaN last
    known = np.count_nonzero(~np.isnan(flat), axis=1)
    enough = known >= MIN_COMPARABLES
    if not enough.any():
        return np.full(len(flat), np.nan) if otherwise is None else otherwise.copy()
    rows = np.arange(len(flat))
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, flat.shape[1] - 1)
    middle = (flat[rows, low] + flat[rows, high]) / 2
    return np.where(enough, middle, np.nan if otherwise is None else otherwise)
