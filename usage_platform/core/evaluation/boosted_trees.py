# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Gradient-boosted trees, as a measure of what could be forecast of a series.

Belongs here: what the platform's forecast is compared with. Not here: the forecast itself, which
does without: trees take seconds a meter to train where it takes a fraction of one.
"""

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.forecast.day_ahead import WindowForecasts
from usage_platform.core.forecast.windows import Windows

TRAINED_EVERY = 112
"""Days after which the trees are trained again, on the year before."""

_TRAINED_DAYS = 364
_ROWS_A_DAY = 24
_SEED = 42
_LAGS = (1, 2, 7, 14)


def boosted_power(windows: Windows, first: int) -> Floats:
    """Forecasts of local days from the readings at the same time some days before, and the clock.

    Args:
        windows: The days.
        first: The first day to forecast; the ones before are trained on.

    Returns:
        Shape (n, steps), kW; NaN before `first`.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    values = windows.values
    features = _features(windows)
    power = np.full_like(values, np.nan)
    every = max(1, values.shape[1] // _ROWS_A_DAY)
    for begin in range(first, len(values), TRAINED_EVERY):
        past = slice(max(0, begin - _TRAINED_DAYS), begin)
        x, y = features[past, ::every].reshape(-1, features.shape[2]), values[past, ::every].ravel()
        known = ~np.isnan(y)
        trees = HistGradientBoostingRegressor(loss="absolute_error", random_state=_SEED)
        trees.fit(x[known], y[known])
        coming = features[begin : begin + TRAINED_EVERY]
        predicted = trees.predict(coming.reshape(-1, coming.shape[2]))
        power[begin : begin + TRAINED_EVERY] = predicted.reshape(coming.shape[:2])
    return power


def _features(windows: Windows) -> Floats:
    """Shape (n, steps, features): the past at the same time, the last day, and the clock."""
    values = windows.values
    lags: list[Floats] = []
    for days in _LAGS:
        lag = np.full_like(values, np.nan)
        lag[days:] = values[:-days]
        lags.append(lag)
    known = np.count_nonzero(~np.isnan(lags[0]), axis=1)
    day = np.where(known > 0, np.nansum(lags[0], axis=1) / np.maximum(known, 1), np.nan)
    step = np.broadcast_to(np.arange(values.shape[1], dtype=np.float64), values.shape)
    of_year: Floats = np.mod(windows.first_day + np.arange(len(values), dtype=np.float64), 365.25)
    by_day = [np.broadcast_to(one[:, None], values.shape) for one in (day, of_year)]
    return np.stack([*lags, *by_day, step, windows.weekday_at.astype(np.float64)], axis=2)


def boosted_probability(
    made: WindowForecasts, days: Ints, peaks: Floats, given: Floats, came: np.ndarray
) -> Floats:
    """Probabilities of a new peak by trees that were trained on the other half of the days.

    They know the forecast's probability and more, and days that came later: what they miss, no
    warning from these readings can be asked to find.

    Args:
        made: The forecasts.
        days: Shape (n,): the days, rows of `made`.
        peaks: Shape (n,): the month's peak before each, kW.
        given: Shape (n,): the probability that the forecast gave.
        came: bool, shape (n,): whether there was a new peak.

    Returns:
        Shape (n,).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    windows = made.windows
    highest = np.fmax.reduce(windows.values, axis=1)
    of_month = (windows.first_day + days).astype("datetime64[D]")
    day_of_month = (of_month - of_month.astype("datetime64[M]")).astype(np.float64)
    x = np.column_stack(
        [
            given,
            made.power[days].max(axis=1) / peaks,
            *(highest[days - lag] / peaks for lag in _LAGS),
            day_of_month,
            windows.weekdays[0][days],
        ]
    )
    late = np.arange(len(days)) >= len(days) // 2
    found = np.full(len(days), np.nan)
    for part in (late, ~late):
        trees = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.05, max_leaf_nodes=6, random_state=_SEED
        ).fit(x[~part], came[~part])
        found[part] = trees.predict_proba(x[part])[:, 1]
    return found
