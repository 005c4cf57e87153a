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
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY

CONTEXT_NS = CONTEXT_DAYS * NS_A_DAY
"""How far before the first scored reading the readings given to `score` must begin, ns."""

ZERO_SCORE = 2.0
GROSS_SCORE = 2.0
WEAK = 0.5
SHIFT_HOURS = 3
_NIGHT_SHARE = 0.25


class Kind(StrEnum):
    """The kind of an anomalous reading; empty for an ordinary one. The values are on the wire."""

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
class _ModelScores:
    """Expected range, deviations and score by a model at each position of a grid; shape (n,) each.

    `half_width` is half the width of the expected range, kW; a `score` of 1 is at the threshold.
    """

    expected: Floats
    half_width: Floats
    z: Floats
    z_short: Floats
    z_week: Floats
    score: Floats


def score(model: DetectorModel, instants: Ints, values: Floats, start: int) -> pd.DataFrame:
    """Score the readings from `start` on.

    Args:
        model: The model to score with.
        instants: n interval starts, ns since 1970 UTC, ascending, each once, multiples of the
            interval; those of the `CONTEXT_DAYS` before `start` must be among them.
        values: n powers, kW.
        start: The first instant to score, ns since 1970 UTC.

    Returns:
        One row per finite reading from `start` on: ts (datetime64[ns, UTC]), value, expected, low,
        high (kW; NaN while the model is learning; a reading within low and high is never anomalous,
        except by the rules for zeros and flatlines), z, z_short and z_week (standardised deviations
        from the expected value with the levels of weeks and days, with those of hours too, and with
        the last week's alone), run (equal readings in a row, of the last 28 days), score (1 is the
        threshold; grows with the deviation), flagged (bool: anomalous), kind (`Kind`), learning
        (bool: the model has too little history for expected values).
    """
    known = (instants >= start - CONTEXT_NS) & np.isfinite(values)
    scored = instants[known] >= start
    if not scored.any():
        return _frame(model, np.empty(0, dtype=np.int64), np.empty(0), None, _no_rules(0))
    raw = to_grid(instants[known], values[known], model.meter, model.options.calendar, 0)
    grid = without_zeros(raw, model.zeros_are_usual)
    # The kind of a reading depends on anomalies of the hours before it, these on one hour more.
    first = max(0, (start - raw.start) // raw.interval - _intervals(raw, SHIFT_HOURS + 1))
    by_model = None if model.baseline is None else _model_scores(model, model.baseline, grid, first)
    rules = _rules(model, raw)
    kinds = _kinds(model, raw, by_model, rules)
    at = ((instants[known][scored] - raw.start) // raw.interval).astype(np.int64)
    picked = (
        None if by_model is None else _ModelScores(*(part[at] for part in vars(by_model).values()))
    )
    rules = _Rules(*(part[at] for part in vars(rules).values()))
    frame = _frame(model, instants[known][scored], values[known][scored], picked, rules)
    return frame.assign(flagged=kinds[at] != Kind.NONE, kind=kinds[at])


def _model_scores(model: DetectorModel, baseline: Baseline, grid: Grid, first: int) -> _ModelScores:
    measured = measure(baseline, grid, expected_at(baseline, grid))
    if model.forests is None:
        expected, unit, z = measured.week_expected, measured.week_unit, measured.week
        scores = robust_z_scores(measured)
    else:
        expected, unit, z = measured.expected, measured.unit, measured.long
        scores = forest_scores(measured, forest_keys(grid), model.forests, first)
    expected = not_below(expected, model.meter)
    least = model.options.minimum_relative_deviation * np.abs(expected)
    return _ModelScores(
        expected=expected,
        half_width=np.maximum(ORDINARY * unit, least),
        z=z,
        z_short=measured.short,
        z_week=measured.week,
        score=scores / model.threshold,
    )


@dataclass(frozen=True, eq=False)
class _Rules:
    """Where each rule applies, and the runs of equal readings; shape (n,) each."""

    zero: npt.NDArray[np.bool_]
    flatline: npt.NDArray[np.bool_]
    gross: npt.NDArray[np.bool_]
    runs: Ints


def _no_rules(size: int) -> _Rules:
    none = np.zeros(size, dtype=np.bool_)
    return _Rules(none, none, none, np.zeros(size, dtype=np.int64))


def _rules(model: DetectorModel, raw: Grid) -> _Rules:
    runs = run_lengths(raw.values, _intervals(raw, 24 * LONGEST_RUN_DAYS))
    zero = anomalous_zeros(raw, model.zeros_are_usual)
    return _Rules(
        zero=zero,
        flatline=(runs >= model.flatline_after) & ~zero & ((raw.values > 0) | model.meter.is_net),
        gross=gross_without_model(raw) & (model.baseline is None),
        runs=runs,
    )


def _kinds(
    model: DetectorModel, raw: Grid, by_model: _ModelScores | None, rules: _Rules
) -> npt.NDArray[np.object_]:
    """The kind of the reading at each position; the first that applies, rules before the model."""
    size = len(raw.values)
    conditions: list[npt.NDArray[np.bool_]] = [rules.zero, rules.flatline, rules.gross]
    names = [Kind.ZERO, Kind.FLATLINE, Kind.GROSS]
    if by_model is not None and model.baseline is not None:
        anomalous = _anomalous(raw, by_model)
        above = raw.values > by_model.expected
        lately = _share_lately(anomalous, 0, _intervals(raw, SHIFT_HOURS) - 1)
        night = is_night(model.baseline, raw)
        # More than usual may be less generation.
        is_load = anomalous & above & (not model.meter.is_net)
        conditions += [
            is_load & (day_type(raw.weekday) > 0),
            is_load & night,
            anomalous & (lately >= 0.5),
            anomalous & above,
            anomalous,
        ]
        names += [Kind.WEEKEND_LOAD, Kind.NIGHT_LOAD, Kind.LEVEL_SHIFT, Kind.SPIKE, Kind.DROP]
    kinds = np.full(size, Kind.NONE, dtype=object)
    for condition, name in zip(reversed(conditions), reversed(names), strict=True):
        kinds[condition] = name
    return kinds


def _anomalous(raw: Grid, by_model: _ModelScores) -> npt.NDArray[np.bool_]:
    """Where a reading is outside the expected range and its score reaches the threshold.

    Half the threshold is enough within an hour after a reading that reached it in full in the same
    direction.
    """
    deviation = raw.values - by_model.expected
    outside = np.abs(deviation) > by_model.half_width
    strong = outside & (by_model.score >= 1.0)
    weak = outside & (by_model.score >= WEAK)
    reach = _intervals(raw, 1)
    followed = np.zeros(len(deviation), dtype=np.bool_)
    for above in (True, False):
        side = (deviation > 0) == above
        lately = _share_lately(strong & side, 1, reach) > 0
        followed |= weak & side & lately
    return strong | followed


def _share_lately(anomalous: npt.NDArray[np.bool_], nearest: int, farthest: int) -> Floats:
    """The share of anomalous readings `nearest` to `farthest` positions back; shape (n,).

    Nothing was anomalous before the first position: where the series begins, which depends on how
    much of the past is loaded, must not change a kind.
    """
    padded = np.concatenate([np.zeros(farthest), anomalous.astype(np.float64)])
    return trailing_mean(padded, nearest, farthest)[farthest:]


def not_below(power: Floats, meter: Meter) -> Floats:
    """Powers that a meter can have: 0 or more, or any of a net meter."""
    return power if meter.is_net else np.maximum(power, 0.0)


def _intervals(grid: Grid, hours: int) -> int:
    return hours * grid.meter.readings_per_hour


def is_night(baseline: Baseline, grid: Grid) -> npt.NDArray[np.bool_]:
    """Where the expected value is in the lowest quarter of its day's range; bool, shape (n,)."""
    expected = baseline.expected[0]
    low, high = expected.min(axis=1), expected.max(axis=1)
    limit = low + _NIGHT_SHARE * (high - low)
    return expected[grid.weekday, grid.step] < limit[grid.weekday]


def _frame(
    model: DetectorModel,
    instants: Ints,
    values: Floats,
    by_model: _ModelScores | None,
    rules: _Rules,
) -> pd.DataFrame:
    unknown = np.full(len(values), np.nan)
    scores = np.zeros(len(values)) if by_model is None else np.nan_to_num(by_model.score)
    scores = np.maximum(scores, np.where(rules.zero, ZERO_SCORE, 0.0))
    scores = np.maximum(scores, np.where(rules.gross, GROSS_SCORE, 0.0))
    scores = np.maximum(scores, np.where(rules.flatline, rules.runs / model.flatline_after, 0.0))
    return pd.DataFrame(
        {
            "ts": pd.DatetimeIndex(instants).tz_localize("UTC"),
            "value": values,
            "expected": unknown if by_model is None else by_model.expected,
            "low": unknown
            if by_model is None
            else not_below(by_model.expected - by_model.half_width, model.meter),
            "high": unknown if by_model is None else by_model.expected + by_model.half_width,
            "z": unknown if by_model is None else by_model.z,
            "z_short": unknown if by_model is None else by_model.z_short,
            "z_week": unknown if by_model is None else by_model.z_week,
            "run": rules.runs,
            "score": scores,
            "flagged": np.zeros(len(values), dtype=np.bool_),
            "kind": np.full(len(values), Kind.NONE, dtype=object),
            "learning": np.full(len(values), model.baseline is None),
        }
    )
