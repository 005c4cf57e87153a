"""Learning a meter's detector from its readings.

Belongs here: everything that is estimated, and on which days. Each week of the last twelve is
compared with what the weeks before it let expect, as it will be when the model is used: all errors
that spreads, weights and the bar are learned from are out of sample. Not here: the estimators.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.anomaly_score import (
    deviation,
    forest_keys,
    forest_scores,
    robust_z_scores,
)
from usage_platform.core.detector.calibration import threshold_for_budget
from usage_platform.core.detector.expected import (
    WEEKDAY_SHARES,
    WINDOW_DAYS,
    days_by_step,
    slot_medians,
    spreads,
)
from usage_platform.core.detector.features import CONTEXT_DAYS
from usage_platform.core.detector.forest import Forests, fit_forests
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.detector.measure import Measured, deviations, measure
from usage_platform.core.detector.model import WEEKS_KEPT, Baseline, DetectorModel
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.residuals import Levels, Stage, residual_chain
from usage_platform.core.detector.robust import robust_size, robust_weights
from usage_platform.core.detector.rules import flatline_after, usual_zeros, without_zeros
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY

LEARNED_WEEKS = 12
"""Weeks whose errors are learned from: a season."""

HISTORY_DAYS = 7 * LEARNED_WEEKS + CONTEXT_DAYS + WINDOW_DAYS
"""Older readings are not looked at."""

FIRST_DAYS = 28
"""Days before anything but rules judges: two weeks to expect from, two to err on."""

_DAYS_TO_EXPECT = 14
_DAYS_FOR_TRUST = 28
_INITIAL_THRESHOLD = 8.0
_GROSS = 8.0
_SEED = 42


def train(
    instants: Ints,
    values: Floats,
    meter: Meter,
    options: TrainingOptions,
    until: int,
) -> DetectorModel:
    """Learn from the whole local days before `until`.

    Args:
        instants: n interval starts, ns since 1970 UTC, ascending, each once; later ones are not
            looked at.
        values: n powers, kW; NaN for readings to leave out.
        meter: The meter.
        options: How it is trained.
        until: From where the model will judge, ns since 1970 UTC.

    Returns:
        The model; while there is too little history, one that has rules only and says so.
    """
    seen = (instants < until) & (instants >= until - (HISTORY_DAYS + 1) * NS_A_DAY)
    if not seen.any():
        return _learning(meter, options, until, None)
    raw = to_grid(instants[seen], values[seen], meter, options.calendar, until + NS_A_DAY)
    until_day = int(raw.day[(until - raw.start) // raw.interval])
    raw = raw.before_day(until_day)
    blank = _learning(meter, options, until, raw)
    if len(raw.values) == 0 or until_day - int(raw.day[0]) < FIRST_DAYS:
        return blank
    grid = without_zeros(raw, blank.zeros_are_usual)
    table, weekday = days_by_step(grid)
    chain = _chain(table, weekday)
    judged = _judged(table, chain)
    if not judged.any():
        return blank
    baseline, measured = _baseline(grid, table, weekday, chain, judged, until_day)
    here = judged[grid.day - grid.day[0]]
    if options.method is Method.FOREST:
        keys = forest_keys(grid)
        scores = _out_of_sample(measured, keys, grid.day, here)
        forests = _fit(measured, keys, here)
    else:
        scores, forests = robust_z_scores(measured), None
    return replace(
        blank,
        days_left=0,
        baseline=baseline,
        forests=forests,
        threshold=_threshold(scores, grid, here, options),
    )


def _learning(
    meter: Meter,
    options: TrainingOptions,
    until: int,
    grid: Grid | None,
) -> DetectorModel:
    known = np.empty(0, dtype=np.int64) if grid is None else grid.day[~np.isnan(grid.values)]
    span = int(known[-1] - known[0]) + 1 if len(known) else 0
    return DetectorModel(
        meter=meter,
        options=options,
        until=until,
        days_learned=len(np.unique(known)),
        days_left=max(1, FIRST_DAYS - span),
        baseline=None,
        forests=None,
        threshold=np.inf,
        flatline_after=flatline_after(grid),
        zeros_are_usual=usual_zeros(grid),
    )


def _chain(table: Floats, weekday: Ints) -> Floats:
    """What each week was expected to be before it began, from the coming one backwards.

    Returns:
        Shape (weeks, 7, steps), kW; NaN for weeks with too little before them.
    """
    weeks = LEARNED_WEEKS + WEEKS_KEPT
    own = np.full((weeks, 7, table.shape[1]), np.nan)
    pool = own.copy()
    for week in range(weeks):
        end = len(table) - 7 * week
        if end < _DAYS_TO_EXPECT:
            break
        past = slice(max(0, end - WINDOW_DAYS), end)
        own[week], pool[week] = slot_medians(table[past], weekday[past])
    return _best_mix(own, pool, table, weekday)


def _best_mix(own: Floats, pool: Floats, table: Floats, weekday: Ints) -> Floats:
    """Weekdays for themselves, all alike, or in between: what missed least."""
    back = _weeks_back(len(table))
    late = back <= LEARNED_WEEKS
    errors: list[float] = []
    for share in WEEKDAY_SHARES:
        mixed = share * own + (1 - share) * pool
        missed = np.abs(table - mixed[back, weekday])[late]
        missed = missed[~np.isnan(missed)]
        # A faulty reading must not choose: the largest twentieth counts as the next smaller.
        limit = float(np.quantile(missed, 0.95)) if len(missed) else 0.0
        errors.append(float(np.minimum(missed, limit).mean()) if len(missed) else 0.0)
    share = WEEKDAY_SHARES[int(np.argmin(errors))]
    return share * own + (1 - share) * pool


def _weeks_back(days: int) -> npt.NDArray[np.int64]:
    """Of each day, the week of the chain that it lies in; 1 is the last one seen."""
    before = days - 1 - np.arange(days)
    return np.minimum(1 + before // 7, LEARNED_WEEKS + WEEKS_KEPT - 1)


def _judged(table: Floats, chain: Floats) -> npt.NDArray[np.bool_]:
    """Days whose errors are learned from: recent, with readings and something expected."""
    back = _weeks_back(len(table))
    expected = ~np.isnan(chain[back]).all(axis=(1, 2))
    some = np.count_nonzero(~np.isnan(table), axis=1) >= table.shape[1] / 2
    return expected & some & (back <= LEARNED_WEEKS)


@dataclass(frozen=True, eq=False)
class _LearnedWeights:
    """The weights and spreads that fit the readings of some places (bool, shape (n,)) best."""

    here: npt.NDArray[np.bool_]

    def of_levels(self, stage: Stage, levels: Levels, target: Floats) -> tuple[float, float]:
        return robust_weights(levels, target, self.here)

    def spread(self, stage: Stage, residual: Floats) -> float:
        return robust_size(residual[self.here])


def _baseline(
    grid: Grid,
    table: Floats,
    weekday: Ints,
    chain: Floats,
    judged: npt.NDArray[np.bool_],
    until_day: int,
) -> tuple[Baseline, Measured]:
    rows = grid.day - grid.day[0]
    back = _weeks_back(len(table))
    expected = chain[back[rows], grid.weekday, grid.step]
    size = _median_day(chain[0])
    days, here = weekday[judged], judged[rows]

    def spread_of(errors: Floats, floor_of: Floats) -> Floats:
        by_step = np.full(table.shape, np.nan)
        by_step[rows, grid.step] = errors
        return spreads(by_step[judged], days, floor_of)

    spread = spread_of(grid.values - expected, size)
    floor = size / np.median(spread, axis=0)
    residuals = residual_chain(grid, expected, spread, _LearnedWeights(here))
    baseline = Baseline(
        until_day=until_day,
        expected=chain[:WEEKS_KEPT],
        spread=spread,
        weights=residuals.weights,
        long_spread=spread_of(residuals.daily, floor),
        short_spread=spread_of(residuals.quick, floor),
        week_spread=spread_of(residuals.z - residuals.week_level, floor),
        long_noise=1.0,
        short_noise=1.0,
    )
    return _with_noise(baseline, grid, expected, here)


def _with_noise(
    baseline: Baseline, grid: Grid, expected: Floats, here: npt.NDArray[np.bool_]
) -> tuple[Baseline, Measured]:
    """Learn how large an hour's mean error usually is, then measure with it."""
    away = deviations(baseline, grid, expected)
    per_hour = grid.meter.readings_per_hour
    calm = replace(
        baseline,
        long_noise=_usual_hour(away.long, here, per_hour),
        short_noise=_usual_hour(away.short, here, per_hour),
    )
    return calm, measure(calm, grid, expected)


def _usual_hour(errors: Floats, here: npt.NDArray[np.bool_], per_hour: int) -> float:
    size = len(errors) // per_hour * per_hour
    hours = np.where(here, np.abs(errors), np.nan)[:size].reshape(-1, per_hour)
    known = ~np.isnan(hours).any(axis=1)
    return max(float(np.median(hours[known].mean(axis=1))), 0.1) if known.any() else 1.0


def _median_day(expected: Floats) -> Floats:
    """What is usually expected at each step; where nothing is, what is at the others."""
    known = np.where(np.isnan(expected), np.nanmedian(expected), expected)
    return np.median(np.abs(known), axis=0)


def _fit(measured: Measured, keys: Ints, here: npt.NDArray[np.bool_]) -> Forests:
    usable = here & ~np.isnan(measured.rows).any(axis=1) & (deviation(measured) < _GROSS)
    fallback = np.arange(72) // 24
    return fit_forests(measured.rows[usable], keys[usable], fallback, 72, _SEED)


def _out_of_sample(
    measured: Measured, keys: Ints, day: Ints, here: npt.NDArray[np.bool_]
) -> Floats:
    """Scores by forests that have not seen the week: one for the odd weeks, one for the even."""
    odd = (day - day[0]) // 7 % 2 == 1
    scores = np.zeros(len(keys))
    for fold in (odd, ~odd):
        forests = _fit(measured, keys, here & ~fold)
        scores = np.where(fold, forest_scores(measured, keys, forests), scores)
    return scores


def _threshold(
    scores: Floats, grid: Grid, here: npt.NDArray[np.bool_], options: TrainingOptions
) -> float:
    """The bar for the budget; with few days it is drawn towards one that only gross ones cross."""
    days, at = np.unique(grid.day[here], return_inverse=True)
    maxima = np.zeros(len(days))
    np.maximum.at(maxima, at, scores[here])
    learned = threshold_for_budget(maxima, options.false_alarms_per_week)
    trust = min(1.0, len(days) / _DAYS_FOR_TRUST)
    return float(learned**trust * _INITIAL_THRESHOLD ** (1 - trust))
