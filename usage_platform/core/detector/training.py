"""Training models on readings in memory: the same functions for the platform and for a backtest.

Belongs here: which readings a meter's detector is trained on, its comparison with the one before
it, and a model of all meters for a backtest. Not here: the detectors themselves (`train`,
`baseline`), a model's manifest (`model_draft`), when models are trained (`schedule`), reading
tables and storing models (`services.train_weeks`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.gate import Examined, examine
from usage_platform.core.detector.manifest import Detector, Model
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.model_draft import ModelDraft, Provenance, history_window
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform.core.feedback.labels import left_out
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What models are trained on.

    Attributes:
        history: The readings; those of the `history_days` before each model's end among them.
        registry: The known meters; the default one's zone says where days begin.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`): readings in a stretch that
            was truly anomalous or planned are left out.
    """

    history: ReadingHistory
    registry: MeterRegistry
    labels: pd.DataFrame


def is_compared(method: Method) -> bool:
    """Whether models of this method are compared with the one before; `blog` has no such gate."""
    return method is not Method.BLOG


@dataclass(frozen=True)
class TrainedModel:
    """A model, and how it compares with the one before it."""

    model: Model
    examined: Examined


@dataclass(frozen=True, eq=False)
class MeterTask:
    """The training of one meter's detector; all that it depends on.

    Attributes:
        meter: The meter.
        series: Its readings, those of the history among them.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`).
        until: The local day that the history ends before, in the registry's default zone.
        zone: That zone.
        options: How it is trained.
        before: The detector that the new one is compared with.
    """

    meter: Meter
    series: Series
    labels: pd.DataFrame
    until: date
    zone: str
    options: TrainingOptions
    before: Detector | None


@dataclass(frozen=True, eq=False)
class TrainedMeter:
    """A meter's detector.

    Attributes:
        detector: The detector.
        readings: Readings in its history.
        left_out: Readings of the history that people's labels kept out of it.
        examined: How it compares with the one before it.
    """

    detector: Detector
    readings: int
    left_out: int
    examined: Examined


def train_meter(task: MeterTask) -> TrainedMeter:
    """Train a meter's detector on its history, and compare it with the one before."""
    start, end = history_window(task.until, task.zone, task.options.method)
    series = task.series.since(start.value).until(end.value)
    out = left_out(task.meter.name, series.instants, task.labels)
    detector = _detector(task.meter, series, out, end, task.options)
    return TrainedMeter(
        detector, len(out), int(out.sum()), _compared(detector, task.before, series)
    )


def train_models(
    data: TrainingData,
    untils: Iterable[date],
    options: TrainingOptions,
    provenance: Provenance,
) -> Iterator[TrainedModel]:
    """Train a model for each end of a history, one after the other as they are asked for.

    Args:
        data: Readings, meters and labels; all meters that have readings are trained.
        untils: Local days that the histories end before, ascending. Each model is compared with
            the last one before it that is fit.
        options: How they are trained.
        provenance: For the manifests.
    """
    zone = data.registry.default.timezone
    before: Mapping[str, Detector] = {}
    for until in untils:
        draft = ModelDraft(until, zone, options, provenance)
        detectors: dict[str, Detector] = {}
        examined = Examined()
        for name in data.history.meters():
            meter, series = data.registry.get(name), data.history.of(name)
            task = MeterTask(meter, series, data.labels, until, zone, options, before.get(name))
            trained = train_meter(task)
            draft.count(trained.readings, trained.left_out)
            draft.add(name, trained.detector)
            detectors[name] = trained.detector
            examined += trained.examined
        yield TrainedModel(Model(draft.manifest(), detectors), examined)
        if examined.is_fit:
            before = detectors


def _detector(
    meter: Meter,
    series: Series,
    out: npt.NDArray[np.bool_],
    end: pd.Timestamp,
    options: TrainingOptions,
) -> Detector:
    if options.method is Method.BLOG:
        times = pd.Series(pd.DatetimeIndex(series.instants[~out]).tz_localize("UTC"))
        history = pd.DataFrame({"event_time": times, "value": series.values[~out]})
        return train_slot_forests(history, meter, lambda done, total: None)
    values = np.where(out, np.nan, series.values)
    return train(series.instants, values, meter, options, end.value)


def _compared(detector: Detector, old: Detector | None, series: Series) -> Examined:
    """What the last weeks say; nothing where there is nothing to compare."""
    if not isinstance(detector, DetectorModel) or not isinstance(old, DetectorModel):
        return Examined()
    if detector.baseline is None or old.baseline is None:
        return Examined()
    return examine(detector, old, series.instants, series.values)
