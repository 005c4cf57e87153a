"""The stepwise scorer: scores one meter's readings one at a time (decision 14).

Belongs here: from a model, its context and the next reading to that reading's scored row, the same
bits as `score` gives for the series. Not here: series (`score`), running sums
(`stepwise.deviations`, `stepwise.windows`).
"""

import math
from typing import NamedTuple

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.anomaly_score import ORDINARY
from usage_platform.core.detector.grid import Grid, to_grid
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.rules import LONGEST_RUN_DAYS, without_zeros
from usage_platform.core.detector.score import (
    CONTEXT_NS,
    GROSS_SCORE,
    WEAK,
    ZERO_SCORE,
    Kind,
)
from usage_platform.core.detector.stepwise.anomaly_score import ForestTraversal, RecentAnomalies
from usage_platform.core.detector.stepwise.days import LocalDays
from usage_platform.core.detector.stepwise.deviations import DeviationState, MeasuredReading
from usage_platform.core.detector.stepwise.windows import GrossReadings, Run

_UNKNOWN = math.nan
_NONE, _ZERO = Kind.NONE, Kind.ZERO  # looking up a member of an enum is slow

_REPEATED_HOURS = 5
"""Hours that are scored one by one when a scorer begins: the kind of a reading depends on the
anomalies of the four hours before it, and these on the mean of one hour more."""


class ScoredReading(NamedTuple):
    """One row of `score.score`; `ts` is in ns since 1970 UTC."""

    ts: int
    value: float
    expected: float
    low: float
    high: float
    z: float
    z_short: float
    z_week: float
    run: int
    score: float
    flagged: bool
    kind: Kind
    learning: bool


class StepwiseScorer:
    """Scores one meter's readings in order of time by one model.

    A new model or a late reading (`can_take`) needs a new scorer.
    """

    def __init__(self, model: DetectorModel, instants: Ints, values: Floats) -> None:
        """Load the context.

        Args:
            model: The model to score with.
            instants: n interval starts, ns since 1970 UTC, ascending, each once; those of the
                `CONTEXT_DAYS` before the first reading to score must be among them.
            values: n powers, kW; those that are not finite are ignored.

        Raises:
            ValueError: If there is no finite reading.
        """
        usable = np.isfinite(values)
        if not usable.any():
            raise ValueError(
                f"meter {model.meter.name}: expected one usable reading or more to go on from, got "
                "none; score the first one with score()"
            )
        instants, values = instants[usable], values[usable]
        known = instants >= instants[-1] - CONTEXT_NS
        raw = to_grid(instants[known], values[known], model.meter, model.options.calendar, 0)
        per_hour = model.meter.readings_per_hour
        loaded = max(0, len(raw.values) // per_hour - _REPEATED_HOURS) * per_hour
        begin = raw.start // raw.interval
        self._model = model
        self._interval = raw.interval
        self._days = LocalDays(model.meter, model.options.calendar)
        within = 24 * LONGEST_RUN_DAYS * per_hour
        self._run, self._run_without_zeros = Run(within), Run(within)
        self._traversal = None if model.forests is None else ForestTraversal(model.forests)
        self._recent = RecentAnomalies(per_hour)
        self._gross = GrossReadings(per_hour) if model.baseline is None else None
        self._state = (
            None
            if model.baseline is None
            else DeviationState(model.baseline, per_hour, self._days, begin + loaded)
        )
        self._load(raw.part(slice(loaded)))
        for index, value in enumerate(raw.values[loaded:].tolist(), begin + loaded):
            if value == value:
                self._score(index * self._interval, index, value)
        self._last = begin + len(raw.values) - 1

    def can_take(self, instant: int) -> bool:
        """Whether a reading is in order: its interval is later than all before.

        Args:
            instant: Its interval's start, ns since 1970 UTC.
        """
        return instant // self._interval > self._last

    def score_next(self, instant: int, value: float) -> ScoredReading:
        """Score the next reading.

        Args:
            instant: Its interval's start, ns since 1970 UTC; later than all before.
            value: kW.

        Raises:
            ValueError: If the reading is late or not finite; the scorer is unchanged then.
        """
        index = instant // self._interval
        if index <= self._last or not math.isfinite(value):
            raise ValueError(
                f"meter {self._model.meter.name}: expected a finite reading later than "
                f"{self._last * self._interval} ns, got {value} at {instant} ns; score it with "
                "score() and begin a new scorer"
            )
        self._last = index
        return self._score(instant, index, float(value))

    def _load(self, raw: Grid) -> None:
        """Load the past: whole hours."""
        if not len(raw.values):
            return
        begin = raw.start // raw.interval
        self._run.load(raw.values, begin)
        if self._gross is not None:
            for at in np.flatnonzero(~np.isnan(raw.values)).tolist():
                self._gross.push(begin + at, float(raw.values[at]))
        if self._state is not None:
            grid = without_zeros(raw, self._model.zeros_are_usual)
            self._run_without_zeros.load(grid.values, begin)
            self._state.load(grid)

    def _score(self, instant: int, index: int, value: float) -> ScoredReading:
        model = self._model
        run = self._run.add(index, value)
        kind, least_score = _NONE, 0.0
        is_net = model.meter.is_net
        if value <= 0.0 and not is_net:
            usual = model.zeros_are_usual[self._days.kind_and_hour(index)]
            kind, least_score = (_NONE, 0.0) if usual else (_ZERO, ZERO_SCORE)
        elif run >= model.flatline_after:
            kind, least_score = Kind.FLATLINE, run / model.flatline_after
        if self._state is not None:
            return self._by_model(self._state, instant, index, value, run, kind, least_score)
        if self._gross is not None and self._gross.push(index, value):
            kind, least_score = kind or Kind.GROSS, max(least_score, GROSS_SCORE)
        nan = _UNKNOWN
        return ScoredReading(
            *(instant, value, nan, nan, nan, nan, nan, nan, run, least_score),
            flagged=kind != _NONE,
            kind=kind,
            learning=True,
        )

    def _by_model(
        self,
        state: DeviationState,
        instant: int,
        index: int,
        value: float,
        run: int,
        kind: Kind,
        least_score: float,
    ) -> ScoredReading:
        if kind is _ZERO:
            measured = state.measure(index, _UNKNOWN)
        else:
            measured = state.measure(index, value)
            self._run_without_zeros.add(index, value)
        expected, unit, week_expected, week_unit, week, long, short = measured[:7]
        if self._traversal is None:
            expected, unit, z, score = week_expected, week_unit, week, abs(week)
        else:
            z = long
            score = max(abs(long), abs(short))
            if score >= ORDINARY:
                score *= self._traversal.scale_factor(measured, self._run_without_zeros.length)
        score = score / self._model.threshold if score == score else 0.0
        is_net = self._model.meter.is_net
        if expected < 0.0 and not is_net:
            expected = 0.0
        half_width = ORDINARY * unit
        least = self._model.options.minimum_relative_deviation * abs(expected)
        half_width = half_width if half_width >= least else least
        deviation = value - expected
        if score >= WEAK and not -half_width <= deviation <= half_width:
            kind = self._kind_of_anomaly(index, deviation > 0.0, score, measured, kind)
        low = expected - half_width
        return ScoredReading(
            instant,
            value,
            expected,
            0.0 if low < 0.0 and not is_net else low,
            expected + half_width,
            z,
            short,
            week,
            run,
            score if score >= least_score else least_score,
            kind is not _NONE,
            kind,
            False,
        )

    def _kind_of_anomaly(
        self, index: int, above: bool, score: float, measured: MeasuredReading, kind: Kind
    ) -> Kind:
        """The kind of a reading outside its expected range; a rule's `kind` takes precedence."""
        if not self._recent.is_anomalous(index, above, score):
            return kind
        lately = self._recent.share_of_anomalies(index)
        if kind is not _NONE:
            return kind
        # More than usual may be less generation.
        is_load = above and not self._model.meter.is_net
        if is_load and measured.is_rest_day:
            return Kind.WEEKEND_LOAD
        if is_load and measured.is_night:
            return Kind.NIGHT_LOAD
        if lately >= 0.5:
            return Kind.LEVEL_SHIFT
        return Kind.SPIKE if above else Kind.DROP
