"""Scoring a meter's readings, each by the model of its time: one way for stream, backfill, replay.

Belongs here: which detector scores which stretch of a series. Not here: scoring itself (`score`,
`baseline`), when models are trained (`schedule`), what becomes of an anomaly (`anomalies`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import pandas as pd

from usage_platform.core.detector.baseline.score import score_by_forests
from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.detector.manifest import Detector, Manifest, Model
from usage_platform.core.detector.score import CONTEXT_NS, score
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.readings.series import Series
from usage_platform.core.time.units import NS_A_DAY

LOOK_BACK = pd.Timedelta(CONTEXT_NS + NS_A_DAY)
"""How far before the first reading to score a series must reach."""


@dataclass(frozen=True, eq=False)
class ModelTimeline:
    """The promoted models, each of which scores readings from its begin to the next one's.

    Attributes:
        manifests: The models, ascending by `judges_from`.
        load: Gives the model of a version.
        labels: People's labels (`labels.LABEL_COLUMNS`).
    """

    manifests: Sequence[Manifest]
    load: Callable[[str], Model]
    labels: pd.DataFrame = field(default_factory=NO_LABELS.copy)


def score_series(name: str, series: Series, start: int, timeline: ModelTimeline) -> pd.DataFrame:
    """Score a meter's readings from an instant on, each by the newest model meant for its time.

    What comes out for a reading is a function of it, of the readings before it and of the models:
    however the series is cut into pieces, the rows are the same.

    Args:
        name: The meter's name.
        series: Its readings, those of the `LOOK_BACK` before `start` among them.
        start: The first instant to score, ns since 1970 UTC.
        timeline: The models; labels are not looked at.

    Returns:
        One row a reading that a model scores, by time: the columns of `detector.score.score` and
        model_version. Readings older than every model, or of a meter that theirs does not know,
        have none.
    """
    parts = [
        _judged(timeline.load(manifest.version), name, series.until(end), begin).assign(
            model_version=manifest.version
        )
        for manifest, begin, end in _stretches(series, start, timeline.manifests)
    ]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=["ts", "flagged", "learning", "model_version"])
    return pd.concat(parts, ignore_index=True)


def _stretches(
    series: Series, start: int, manifests: Sequence[Manifest]
) -> Iterator[tuple[Manifest, int, int]]:
    """Each model that has something to score, from when and until when."""
    begins = [int(manifest.begin.value) for manifest in manifests]
    for manifest, begin, end in zip_longest(manifests, begins, begins[1:]):
        first = max(begin, start)
        stop = int(series.instants[-1]) + 1 if len(series.instants) else first
        last = stop if end is None else min(end, stop)
        if len(series.until(last).since(first).instants):
            yield manifest, first, last


def scored_by(detector: Detector, series: Series, start: int) -> pd.DataFrame:
    """Score a meter's readings from an instant on by one detector.

    Args:
        detector: The meter's.
        series: Its readings, those of the `LOOK_BACK` before `start` among them.
        start: The first instant to score, ns since 1970 UTC.

    Returns:
        The columns of `detector.score.score`.
    """
    if isinstance(detector, SlotForests):
        own = series.since(start)
        return score_by_forests(detector, own.instants, own.values)
    recent = series.since(start - LOOK_BACK.value)
    return score(detector, recent.instants, recent.values, start)


def _judged(model: Model, name: str, series: Series, start: int) -> pd.DataFrame:
    detector = model.detectors.get(name)
    return pd.DataFrame() if detector is None else scored_by(detector, series, start)
