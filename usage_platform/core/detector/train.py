"""Training a meter's detector on its readings.

Belongs here: the order of the estimates and the days they use. Each of the last twelve weeks is
compared with expected values from the weeks before it, as when the model is used: all errors from
which spreads, weights and the threshold are estimated are out of sample. Not here: the estimators
(`robust`, `calibration`, `forest`), the expected values (`expected_by_week`).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.anomaly_score import (
    DAY_TYPE_OF_KEY,
    deviation,
    forest_keys,
    forest_scores,
    robust_z_scores,
)
from usage_platform.core.detector.calibration import threshold_for_budget
from usage_platform.core.detector.expected import WINDOW_DAYS, days_by_step, spreads
from usage_platform.core.detector.expected_by_week import (
    LEARNED_WEEKS,
    days_with_errors,
    expected_by_week,
    median_day,
    weeks_back,
)
from usage_platform.core.detector.features import CONTEXT_DAYS
from usage_platform.core.detector.forest import HALVES, Forests, fit_forests
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.detector.measure import Measured, deviations, measure
from usage_platform.core.detector.model import WEEKS_KEPT, Baseline, DetectorModel
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.residuals import Levels, Stage, residual_chain
from usage_platform.core.detector.robust import robust_size, robust_weights
from usage_platform.core.detector.rules import flatline_after, usual_zeros, without_zeros
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY

HISTORY_DAYS = 7 * LEARNED_WEEKS + CONTEXT_DAYS + WINDOW_DAYS
"""Days of history that are used; older readings are ignored."""

FIRST_DAYS = 28
"""Days of history before a model has expected values: two weeks for the expected values, two for
their errors."""

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
    """Train on the whole local days before `until`.

    Args:
        instants: n interval starts, ns since 1970 UTC, ascending, each once; those from `until` on
            are ignored.
        values: n powers, kW; NaN for readings to leave out.
        meter: The meter.
        options: How it is trained.
        until: End of the history, ns since 1970 UTC.

    Returns:
        The model; with too little history it has rules only (`baseline` is None, `days_left` > 0).
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
    expected = expected_by_week(table, weekday)
    days = days_with_errors(table, expected)
    if not days.any():
        return blank
    baseline, measured = _baseline(grid, table, weekday, expected, days, until_day)
    here = days[grid.day - grid.day[0]]
    if options.method is Method.FOREST:
        scores, forests = _forests(measured, forest_keys(grid), grid.day, here)
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
        zeros_are_usual=usual_zeros(grid, meter.is_net),
    )


@dataclass(frozen=True, eq=False)
class _LearnedWeights:
    """Weights and spreads estimated from the readings at some positions (bool, shape (n,))."""

    here: npt.NDArray[np.bool_]

    def of_levels(self, stage: Stage, levels: Levels, target: Floats) -> tuple[float, float]:
        return robust_weights(levels, target, self.here)

    def spread(self, stage: Stage, residual: Floats) -> float:
        return robust_size(residual[self.here])


def _baseline(
    grid: Grid,
    table: Floats,
    weekday: Ints,
    by_week: Floats,
    days: npt.NDArray[np.bool_],
    until_day: int,
) -> tuple[Baseline, Measured]:
    rows = grid.day - grid.day[0]
    expected = by_week[weeks_back(len(table))[rows], grid.weekday, grid.step]
    size = median_day(by_week[0])
    here = days[rows]

    def spread_of(errors: Floats, floor_of: Floats) -> Floats:
        by_step = np.full(table.shape, np.nan)
        by_step[rows, grid.step] = errors
        return spreads(by_step[days], weekday[days], floor_of, grid.meter.is_net)

    spread = spread_of(grid.values - expected, size)
    floor = size / np.median(spread, axis=0)
    residuals = residual_chain(grid, expected, spread, _LearnedWeights(here))
    baseline = Baseline(
        until_day=until_day,
        expected=by_week[:WEEKS_KEPT],
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
    """Estimate the usual mean absolute error of an hour; measure all readings with it."""
    before = deviations(baseline, grid, expected)
    per_hour = grid.meter.readings_per_hour
    complete = replace(
        baseline,
        long_noise=_usual_hour(before.long, here, per_hour),
        short_noise=_usual_hour(before.short, here, per_hour),
    )
    return complete, measure(complete, grid, expected)


def _usual_hour(errors: Floats, here: npt.NDArray[np.bool_], per_hour: int) -> float:
    size = len(errors) // per_hour * per_hour
    hours = np.where(here, np.abs(errors), np.nan)[:size].reshape(-1, per_hour)
    known = ~np.isnan(hours).any(axis=1)
    return max(float(np.median(hours[known].mean(axis=1))), 0.1) if known.any() else 1.0


def _forests(
    measured: Measured, keys: Ints, day: Ints, here: npt.NDArray[np.bool_]
) -> tuple[Floats, Forests]:
    """The forests, and each position's score by their trees that were grown on other weeks.

    Where nearly all readings are of even weeks, or of odd ones, both halves are grown on all.
    """
    odd = (day - day[0]) // 7 % 2 == 1
    usable = here & ~np.isnan(measured.long) & (deviation(measured) < _GROSS)
    rows = (measured.rows[usable], keys[usable], odd[usable])
    forests = fit_forests(*rows, DAY_TYPE_OF_KEY, _SEED)
    on_even, on_odd = (forest_scores(measured, keys, forests, trees=one) for one in HALVES)
    return np.where(odd, on_even, on_odd), forests


def _threshold(
    scores: Floats, grid: Grid, here: npt.NDArray[np.bool_], options: TrainingOptions
) -> float:
    """The threshold for the budget; with few days it is drawn towards one that only gross reach."""
    days, at = np.unique(grid.day[here], return_inverse=True)
    maxima = np.zeros(len(days))
    np.maximum.at(maxima, at, scores[here])
    learned = threshold_for_budget(maxima, options.false_alarms_per_week)
    trust = min(1.0, len(days) / _DAYS_FOR_TRUST)
    return float(learned**trust * _INITIAL_THRESHOLD ** (1 - trust))
