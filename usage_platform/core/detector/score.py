"""Scoring a series of readings with one model: the batch code of backfill, replay, page and stream.

Belongs here: from a model and readings to one scored row per reading. The row of a reading is a
function of the model, the reading and the `CONTEXT_DAYS` before it, bit for bit, however the
readings are cut into batches. Not here: scoring one reading at a time, which the stream does where
a meter has few new ones, with the same rows (`stepwise`, decision 14); merging anomalous readings
into episodes (`core.anomalies.episodes`).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.anomaly_score import (
    ORDINARY,
    forest_keys,
    forest_scores,
    robust_z_scores,
)
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.features import CONTEXT_DAYS, run_lengths, trailing_mean
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.detector.measure import expected_at, measure
from usage_platform.core.detector.model import Baseline, DetectorModel
from usage_platform.core.detector.rules import (
    LONGEST_RUN_DAYS,
    anomalous_zeros,
    gross_without_model,
    without_zeros,
)
from usage_platform.core.time.units import NS_A_DAY

CONTEXT_NS = CONTEXT_DAYS * NS_A_DAY
"""How far back the readings given to `score` must reach."""

ZERO_SCORE = 2.0
GROSS_SCORE = 2.0
WEAK = 0.5
SHIFT_HOURS = 3
_NIGHT_SHARE = 0.25


class Kind(StrEnum):
    """What kind of oddness a reading shows; empty for none."""

    NONE = ""
    SPIKE = "spike"
    DROP = "drop"
    ZERO = "zero"
    FLATLINE = "stuck"
    NIGHT_LOAD = "night_load"
    WEEKEND_LOAD = "weekend_load"
    LEVEL_SHIFT = "level_shift"
    GROSS = "gross"


@dataclass(frozen=True, eq=False)
class _Judged:
    """Shape (n,) each: what a model says of every place of a grid."""

    expected: Floats
    half_width: Floats
    z: Floats
    z_short: Floats
    z_week: Floats
    score: Floats


def score(model: DetectorModel, instants: Ints, values: Floats, start: int) -> pd.DataFrame:
    """Judge the readings from `start` on.

    Args:
        model: The model that judges them.
        instants: n interval starts, ns since 1970 UTC, ascending, each once, multiples of the
            interval; those of the `CONTEXT_DAYS` before `start` must be among them.
        values: n powers, kW.
        start: The first instant to judge, ns since 1970 UTC.

    Returns:
        One row a reading from `start` on: ts (datetime64[ns, UTC]), value, expected, low, high
        (kW; NaN while learning; a reading within low and high is never odd, but for zero and
        stuck), z, z_short and z_week (deviations in usual ones from what days and weeks, the last
        hours, and the last week alone let expect), run (equal readings in a row), score (1 is the
        bar, grows with the deviation), flagged (bool), kind (`Kind`), learning (bool).
    """
    known = (instants >= start - CONTEXT_NS) & np.isfinite(values)
    judged = instants[known] >= start
    if not judged.any():
        return _frame(model, np.empty(0, dtype=np.int64), np.empty(0), None, _no_rules(0))
    raw = to_grid(instants[known], values[known], model.meter, model.options.calendar, 0)
    grid = without_zeros(raw, model.zeros_are_usual)
    # A reading's kind depends on what the hours before it were, theirs on the hour before them.
    first = max(0, (start - raw.start) // raw.interval - _places(raw, SHIFT_HOURS + 1))
    said = None if model.baseline is None else _say(model, model.baseline, grid, first)
    rules = _rules(model, raw)
    kinds = _kinds(model, raw, said, rules)
    at = ((instants[known][judged] - raw.start) // raw.interval).astype(np.int64)
    picked = None if said is None else _Judged(*(part[at] for part in vars(said).values()))
    rules = _Rules(*(part[at] for part in vars(rules).values()))
    frame = _frame(model, instants[known][judged], values[known][judged], picked, rules)
    return frame.assign(flagged=kinds[at] != Kind.NONE, kind=kinds[at])


def _say(model: DetectorModel, baseline: Baseline, grid: Grid, first: int) -> _Judged:
    measured = measure(baseline, grid, expected_at(baseline, grid))
    if model.forests is None:
        expected, unit, z = measured.week_expected, measured.week_unit, measured.week
        scores = robust_z_scores(measured)
    else:
        expected, unit, z = measured.expected, measured.unit, measured.long
        scores = forest_scores(measured, forest_keys(grid), model.forests, first)
    expected = np.maximum(expected, 0.0)
    return _Judged(
        expected=expected,
        half_width=np.maximum(ORDINARY * unit, model.options.minimum_relative_deviation * expected),
        z=z,
        z_short=measured.short,
        z_week=measured.week,
        score=scores / model.threshold,
    )


@dataclass(frozen=True, eq=False)
class _Rules:
    """Shape (n,) each: what the rules say."""

    zero: npt.NDArray[np.bool_]
    stuck: npt.NDArray[np.bool_]
    gross: npt.NDArray[np.bool_]
    runs: Ints


def _no_rules(size: int) -> _Rules:
    none = np.zeros(size, dtype=np.bool_)
    return _Rules(none, none, none, np.zeros(size, dtype=np.int64))


def _rules(model: DetectorModel, raw: Grid) -> _Rules:
    runs = np.minimum(run_lengths(raw.values), _places(raw, 24 * LONGEST_RUN_DAYS))
    zero = anomalous_zeros(raw, model.zeros_are_usual)
    return _Rules(
        zero=zero,
        stuck=(runs >= model.flatline_after) & ~zero & (raw.values > 0),
        gross=gross_without_model(raw) & (model.baseline is None),
        runs=runs,
    )


def _kinds(
    model: DetectorModel, raw: Grid, said: _Judged | None, rules: _Rules
) -> npt.NDArray[np.object_]:
    """The kind of each place's reading; what explains most comes first."""
    size = len(raw.values)
    conditions: list[npt.NDArray[np.bool_]] = [rules.zero, rules.stuck, rules.gross]
    names = [Kind.ZERO, Kind.FLATLINE, Kind.GROSS]
    if said is not None and model.baseline is not None:
        odd = _odd(raw, said)
        above = raw.values > said.expected
        lately = trailing_mean(odd.astype(np.float64), 0, _places(raw, SHIFT_HOURS) - 1)
        night = is_night(model.baseline, raw)
        conditions += [
            odd & above & (day_type(raw.weekday) > 0),
            odd & above & night,
            odd & (lately >= 0.5),
            odd & above,
            odd,
        ]
        names += [Kind.WEEKEND_LOAD, Kind.NIGHT_LOAD, Kind.LEVEL_SHIFT, Kind.SPIKE, Kind.DROP]
    kinds = np.full(size, Kind.NONE, dtype=object)
    for condition, name in zip(reversed(conditions), reversed(names), strict=True):
        kinds[condition] = name
    return kinds


def _odd(raw: Grid, said: _Judged) -> npt.NDArray[np.bool_]:
    """Over the bar, or half of it within an hour after one over it in the same direction."""
    away = raw.values - said.expected
    outside = np.abs(away) > said.half_width
    strong = outside & (said.score >= 1.0)
    weak = outside & (said.score >= WEAK)
    reach = _places(raw, 1)
    followed = np.zeros(len(away), dtype=np.bool_)
    for above in (True, False):
        side = (away > 0) == above
        lately = trailing_mean((strong & side).astype(np.float64), 1, reach) > 0
        followed |= weak & side & lately
    return strong | followed


def _places(grid: Grid, hours: int) -> int:
    return hours * grid.meter.readings_per_hour


def is_night(baseline: Baseline, grid: Grid) -> npt.NDArray[np.bool_]:
    """Where the expected load is in the lowest quarter of its day."""
    expected = baseline.expected[0]
    low, high = expected.min(axis=1), expected.max(axis=1)
    bar = low + _NIGHT_SHARE * (high - low)
    return expected[grid.weekday, grid.step] < bar[grid.weekday]


def _frame(
    model: DetectorModel,
    instants: Ints,
    values: Floats,
    said: _Judged | None,
    rules: _Rules,
) -> pd.DataFrame:
    unknown = np.full(len(values), np.nan)
    scores = np.zeros(len(values)) if said is None else np.nan_to_num(said.score)
    scores = np.maximum(scores, np.where(rules.zero, ZERO_SCORE, 0.0))
    scores = np.maximum(scores, np.where(rules.gross, GROSS_SCORE, 0.0))
    scores = np.maximum(scores, np.where(rules.stuck, rules.runs / model.flatline_after, 0.0))
    return pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(instants).tz_localize("UTC"),
            "value": values,
            "expected": unknown if said is None else said.expected,
            "low": unknown if said is None else np.maximum(said.expected - said.half_width, 0.0),
            "high": unknown if said is None else said.expected + said.half_width,
            "z": unknown if said is None else said.z,
            "z_short": unknown if said is None else said.z_short,
            "z_week": unknown if said is None else said.z_week,
            "run": rules.runs,
            "score": scores,
            "flagged": np.zeros(len(values), dtype=np.bool_),
            "kind": np.full(len(values), Kind.NONE, dtype=object),
            "learning": np.full(len(values), model.baseline is None),
        }
    )
