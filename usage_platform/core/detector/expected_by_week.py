"""The expected values of each past week as they were before that week began.

Belongs here: expected values by week for training, so that all errors are out of sample, and the
choice between a weekday's own median and that of its day type. Not here: the medians (`expected`),
what is learned from the errors (`train`).
"""

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import WEEKDAY_SHARES, WINDOW_DAYS, slot_medians
from usage_platform.core.detector.model import WEEKS_KEPT

LEARNED_WEEKS = 12
"""Weeks whose errors are learned from: a season."""

_LEAST_DAYS = 14
_FAULTY_SHARE = 0.05


def expected_by_week(table: Floats, weekday: Ints) -> Floats:
    """The expected values of each week, from the history before it.

    Args:
        table: Shape (days, steps), kW, NaN where there is no reading; the history.
        weekday: Shape (days,): 0 is Monday; a rest day counts as Sunday.

    Returns:
        Shape (weeks, 7, steps), kW: first the week after the history, then its weeks, the last one
        first; NaN for weeks with less than 14 days before them.
    """
    weeks = LEARNED_WEEKS + WEEKS_KEPT
    by_weekday = np.full((weeks, 7, table.shape[1]), np.nan)
    by_type = by_weekday.copy()
    for week in range(weeks):
        end = len(table) - 7 * week
        if end < _LEAST_DAYS:
            break
        past = slice(max(0, end - WINDOW_DAYS), end)
        by_weekday[week], by_type[week] = slot_medians(table[past], weekday[past])
    return _best_mix(by_weekday, by_type, table, weekday)


def _best_mix(by_weekday: Floats, by_type: Floats, table: Floats, weekday: Ints) -> Floats:
    """The weighted mean of both medians whose errors were smallest."""
    back = weeks_back(len(table))
    recent = back <= LEARNED_WEEKS
    errors: list[float] = []
    for share in WEEKDAY_SHARES:
        mixed = share * by_weekday + (1 - share) * by_type
        missed = np.abs(table - mixed[back, weekday])[recent]
        missed = missed[~np.isnan(missed)]
        # Faulty readings must not choose: the largest errors count as the largest of the others.
        limit = float(np.quantile(missed, 1 - _FAULTY_SHARE)) if len(missed) else 0.0
        errors.append(float(np.minimum(missed, limit).mean()) if len(missed) else 0.0)
    share = WEEKDAY_SHARES[int(np.argmin(errors))]
    return share * by_weekday + (1 - share) * by_type


def weeks_back(days: int) -> Ints:
    """The position of each day's week in `expected_by_week`; 1 is the last week of the history."""
    before = days - 1 - np.arange(days)
    return np.minimum(1 + before // 7, LEARNED_WEEKS + WEEKS_KEPT - 1)


def days_with_errors(table: Floats, expected: Floats) -> npt.NDArray[np.bool_]:
    """The days whose errors are learned from; bool, shape (days,).

    These are the days of the last 12 weeks with half their readings and with expected values
    (`expected_by_week`).
    """
    back = weeks_back(len(table))
    known = ~np.isnan(expected[back]).all(axis=(1, 2))
    enough = np.count_nonzero(~np.isnan(table), axis=1) >= table.shape[1] / 2
    return known & enough & (back <= LEARNED_WEEKS)


def median_day(expected: Floats) -> Floats:
    """The median over weekdays of the expected values; kW, shape (steps,).

    Args:
        expected: Shape (7, steps), kW; a NaN counts as the median of all.
    """
    known = np.where(np.isnan(expected), np.nanmedian(expected), expected)
    return np.median(np.abs(known), axis=0)
