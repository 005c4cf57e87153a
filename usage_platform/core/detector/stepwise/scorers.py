"""The stepwise scorers of all meters, for the stream's small batches.

Belongs here: which scorer scores a meter's next readings, and when a new one is needed. The rows
are those of `model_timeline`, without computing the context again. Not here: how a reading is
scored (`stepwise.scorer`), series and backfills (`model_timeline`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from usage_platform.core.detector.manifest import Manifest
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline
from usage_platform.core.detector.stepwise.scorer import ScoredReading, StepwiseScorer
from usage_platform.core.readings.series import Series

MOST_READINGS = 24
"""A batch with more readings of one meter is scored faster as a series."""


@dataclass(frozen=True, eq=False)
class _CurrentScorer:
    """A scorer, the version of its model and the instant of the last reading it has scored."""

    version: str
    scorer: StepwiseScorer
    last: int


@dataclass(frozen=True, eq=False)
class LiveRows:
    """The newest readings of a meter, scored.

    A frame of one row takes a hundred times as long to make as its reading to score, and few
    readings are anomalous.

    Attributes:
        rows: By time.
        model_version: The model that scored them.
    """

    rows: Sequence[ScoredReading]
    model_version: str

    @property
    def are_ordinary(self) -> bool:
        """Whether none is anomalous."""
        return not any(row.flagged for row in self.rows)

    @property
    def learning(self) -> int:
        """How many have too little history, and were scored by rules alone."""
        return sum(row.learning for row in self.rows)

    def frame(self) -> pd.DataFrame:
        """The rows of `model_timeline.score_series`."""
        frame = pd.DataFrame(self.rows, columns=ScoredReading._fields)
        return frame.assign(
            ts=pd.DatetimeIndex(frame["ts"].to_numpy(np.int64)).tz_localize("UTC"),
            kind=frame["kind"].astype(object),
            model_version=self.model_version,
        )


@dataclass
class StepwiseScorers:
    """The stepwise scorers by meter; the rows depend on the readings and models alone."""

    _current: dict[str, _CurrentScorer] = field(default_factory=dict[str, _CurrentScorer])

    def score(
        self, name: str, series: Series, start: int, timeline: ModelTimeline
    ) -> LiveRows | None:
        """Score a meter's newest readings.

        Args:
            name: The meter's name.
            series: Its readings, those of the `LOOK_BACK` before `start` among them.
            start: The first instant to score, ns since 1970 UTC.
            timeline: The models; labels are not used.

        Returns:
            What `model_timeline.score_series` gives, or None where that must score them: many
            readings, readings of two models or of another method's, late readings, and the
            first reading of a meter.
        """
        # After None the caller scores the series, which may have changed what the scorer has seen.
        current = self._current.pop(name, None)
        before, new = series.until(start), series.since(start)
        manifest = _only_model(new, timeline)
        if manifest is None or len(new.instants) > MOST_READINGS or not len(before.instants):
            return None
        detector = timeline.load(manifest.version).detectors.get(name)
        if not isinstance(detector, DetectorModel):
            return None
        last, first = int(before.instants[-1]), int(new.instants[0])
        if current is None or (current.version, current.last) != (manifest.version, last):
            recent = before.since(start - LOOK_BACK.value)
            if not len(recent.instants):
                return None
            scorer = StepwiseScorer(detector, recent.instants, recent.values)
        else:
            scorer = current.scorer
        if not scorer.can_take(first):
            return None
        pairs = zip(new.instants.tolist(), new.values.tolist(), strict=True)
        rows = [scorer.score_next(instant, value) for instant, value in pairs]
        self._current[name] = _CurrentScorer(manifest.version, scorer, int(new.instants[-1]))
        return LiveRows(rows, manifest.version)


def _only_model(new: Series, timeline: ModelTimeline) -> Manifest | None:
    """The model of all these readings; None if they have no model or several."""
    if not len(new.instants):
        return None
    begins = np.array([manifest.begin.value for manifest in timeline.manifests], dtype=np.int64)
    positions = np.searchsorted(begins, [new.instants[0], new.instants[-1]], side="right") - 1
    is_one = positions[0] >= 0 and positions[0] == positions[1]
    return timeline.manifests[int(positions[0])] if is_one else None
