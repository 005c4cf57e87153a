"""What a tick of many meters with one reading each costs: one at a time, and as series.

Measured on some meters and multiplied. Not here: the row that shows it (`scoring`).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.anomalies.published_past import PublishedPast
from usage_platform.core.anomalies.stream import RETENTION, ScorerState
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline
from usage_platform.core.detector.score import CONTEXT_NS, score
from usage_platform.core.detector.stepwise.scorer import StepwiseScorer
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.series import Series
from usage_platform_tests.tools.bench.made_models import copied_model, timeline_of
from usage_platform_tests.tools.bench.made_readings import FIRST, readings_of

_METERS = 200
_BATCHES = 24
_SERIES = 40
_DAYS = (LOOK_BACK + RETENTION).days + 1


@dataclass(frozen=True)
class TickCosts:
    """CPU seconds of one reading of one meter, its state loaded.

    Attributes:
        found: Scored, and what is to be published of it found.
        stepwise: Scored by the stepwise scorer.
        as_series: Scored with its context, as a series.
    """

    found: float
    stepwise: float
    as_series: float


class _NoPast:
    """Nothing is read: readings come in order."""

    def readings(self, meter: str, first: int, end: int) -> pd.DataFrame:
        raise NotImplementedError

    def published(self, since: Mapping[str, int]) -> PublishedPast:
        raise NotImplementedError


def tick_costs(lake: Lake) -> TickCosts:
    """Score readings of some meters in each way.

    Args:
        lake: An empty lake.
    """
    copied_model(lake, _METERS, FIRST + timedelta(days=_DAYS))
    timeline, state = timeline_of(lake), ScorerState(_NoPast())
    state.history.add(_readings(0, _DAYS))
    coming = _readings(_DAYS, 1).sort_values("event_time", kind="stable")
    name = state.history.meters()[0]
    before = state.history.of(name)
    found = _found(state, coming, timeline)
    detector = timeline.load(timeline.manifests[0].version).detectors[name]
    if not isinstance(detector, DetectorModel):
        raise TypeError(f"expected a model of the forest, got {type(detector).__name__}")
    return TickCosts(found, *_scored(detector, before, state.history.of(name)))


def _readings(first: int, days: int) -> pd.DataFrame:
    frame = readings_of(_METERS, days, first).rename(columns={"ts": "event_time"})
    return frame[["meter", "event_time", "value"]]


def _found(state: ScorerState, coming: pd.DataFrame, timeline: ModelTimeline) -> float:
    batches = [coming.iloc[at * _METERS : (at + 1) * _METERS] for at in range(_BATCHES + 1)]
    # It loads the state of each meter.
    state.process(batches[0], timeline, MeterRegistry())
    begin = time.process_time()
    scored = sum(state.process(one, timeline, MeterRegistry()).scored for one in batches[1:])
    used = time.process_time() - begin
    if scored != _BATCHES * _METERS:
        raise RuntimeError(f"{scored} of {_BATCHES * _METERS} readings were scored")
    return used / scored


def _scored(model: DetectorModel, before: Series, series: Series) -> tuple[float, float]:
    """Of one meter: by the stepwise scorer, and as a series."""
    first = len(before.instants)
    scorer = StepwiseScorer(model, before.instants, before.values)
    new = series.since(int(before.instants[-1]) + 1)
    coming = list(zip(new.instants.tolist(), new.values.tolist(), strict=True))
    begin = time.process_time()
    for instant, value in coming:
        scorer.score_next(instant, value)
    stepwise = (time.process_time() - begin) / len(coming)
    instants, places = series.instants, range(first - _SERIES, first)
    begin = time.process_time()
    for at in places:
        known = slice(np.searchsorted(instants, instants[at] - CONTEXT_NS), at + 1)
        score(model, instants[known], series.values[known], int(instants[at]))
    return stepwise, (time.process_time() - begin) / _SERIES
