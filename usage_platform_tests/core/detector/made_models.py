"""Models made by hand, and the readings they judge, for tests of what becomes of odd readings."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from usage_platform.core.detector.baseline.slot_forests import CUT, SlotForests
from usage_platform.core.detector.manifest import Detector, Model
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.feedback.labels import LABEL_COLUMNS, NO_LABELS
from usage_platform.core.meters import Meter
from usage_platform_tests.core.detector.made_manifest import manifest

LOW, HIGH = 100.0, 200.0
NO_MODELS = ModelTimeline([], {}.__getitem__)


def model(version: str, begin: pd.Timestamp, detectors: Mapping[str, Detector]) -> Model:
    return Model(manifest(version, begin), detectors)


def timeline_of(*models: Model, labels: pd.DataFrame = NO_LABELS) -> ModelTimeline:
    known = {one.manifest.version: one for one in models}
    return ModelTimeline([one.manifest for one in models], known.__getitem__, labels)


def cut_forests(
    meter: Meter, low: float = LOW, high: float = HIGH, thin: int | None = None
) -> SlotForests:
    """Odd from `low` down and above `high` kW in every slot of an hourly meter but a thin one."""
    slots = 168
    lengths = np.where(np.arange(slots) == (-1 if thin is None else thin), 0, 3)
    known = lengths > 0
    return SlotForests(
        meter=meter,
        comparables=np.where(known, 9, 1),
        low=np.where(known, low, np.nan),
        high=np.where(known, high, np.nan),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        cuts=np.tile([low, high, np.inf], int(known.sum())),
        scores=np.tile([0.9, CUT, 0.7], int(known.sum())),
    )


def readings(*rows: tuple[str, pd.Timestamp, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["meter", "event_time", "value"])
    return frame.astype({"event_time": "datetime64[ns, UTC]", "value": "float64"})


def hourly(start: pd.Timestamp, values: list[float], meter: str = "m") -> pd.DataFrame:
    """Readings of each hour from a time on."""
    hours = (start + pd.Timedelta(hours=n) for n in range(len(values)))
    return readings(*((meter, at, value) for at, value in zip(hours, values, strict=True)))


def label(meter: str, start: pd.Timestamp, end: pd.Timestamp, says: str) -> pd.DataFrame:
    frame = pd.DataFrame([(meter, start, end, says, "")], columns=LABEL_COLUMNS)
    return frame.astype(dict.fromkeys(("start", "end"), "datetime64[ns, UTC]"))
