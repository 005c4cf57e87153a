"""Training models on readings in memory: the same function for the platform and for a backtest.

Belongs here: which readings a model is trained on, its detectors, its manifest, and the comparison
with the model before it. Not here: the detectors themselves (`train`, `baseline`), when models are
trained (`schedule`), reading tables and storing models (`services.train`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.detector.baseline.slot_forests import (
    MAX_HISTORY_DAYS,
    SlotForests,
    train_slot_forests,
)
from usage_platform.core.detector.baseline.slots import slots_per_week
from usage_platform.core.detector.gate import Examined, examine
from usage_platform.core.detector.manifest import Detector, Manifest, Model, model_version
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.schedule import judges_from
from usage_platform.core.detector.train import HISTORY_DAYS, train
from usage_platform.core.feedback.labels import left_out
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.time.local_time import local_day_bounds


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


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from, for its manifest; it has no influence on the model's version.

    Attributes:
        trained_at: The time of training.
        data_version: Version of the Delta table `readings` that was read.
        libraries: Versions of the libraries that trained it.
    """

    trained_at: datetime
    data_version: int
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class TrainedModel:
    """A model, and how it compares with the one before it."""

    model: Model
    examined: Examined


def history_days(method: Method) -> int:
    """How many days of readings a model is trained on."""
    return MAX_HISTORY_DAYS if method is Method.BLOG else HISTORY_DAYS


def is_compared(method: Method) -> bool:
    """Whether models of this method are compared with the one before; `blog` has no such gate."""
    return method is not Method.BLOG


def train_models(
    data: TrainingData,
    untils: Iterable[date],
    options: TrainingOptions,
    provenance: Provenance,
    *,
    meters: Sequence[str] = (),
    before: Model | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Iterator[TrainedModel]:
    """Train a model for each end of a history, one after the other as they are asked for.

    Args:
        data: Readings, meters and labels.
        untils: Local days that the histories end before, ascending.
        options: How they are trained.
        provenance: For the manifests.
        meters: Which meters are trained; all that have readings where it is empty. The others keep
            their detectors of the model before.
        before: The model that the first one is compared with. Each further one is compared with
            the last one before it that is fit.
        progress: Called with a line for each meter and day.
    """
    names = [name for name in data.history.meters() if not meters or name in meters]
    for until in untils:
        kept = dict(before.detectors) if before and meters else {}
        trained = _train_model(data, until, options, provenance, names, kept, before, progress)
        yield trained
        before = trained.model if trained.examined.is_fit else before


def _train_model(
    data: TrainingData,
    until: date,
    options: TrainingOptions,
    provenance: Provenance,
    names: Sequence[str],
    kept: Mapping[str, Detector],
    before: Model | None,
    progress: Callable[[str], None],
) -> TrainedModel:
    zone = data.registry.default.timezone
    end = local_day_bounds(until, zone)[0]
    start = end - pd.Timedelta(days=history_days(options.method))
    detectors = dict(kept)
    readings = excluded = 0
    examined = Examined()
    for name in names:
        progress(f"{name}: until {until}")
        series = data.history.of(name).since(start.value).until(end.value)
        out = left_out(name, series.instants, data.labels)
        readings, excluded = readings + len(out), excluded + int(out.sum())
        detectors[name] = _detector(data.registry.get(name), series, out, end, options)
        examined += _compared(detectors[name], before, series)
    begin = judges_from(until, zone)
    manifest = Manifest(
        version=model_version(begin, detectors),
        method=options.method.value,
        window_start=start.isoformat(),
        window_end=end.isoformat(),
        judges_from=begin.isoformat(),
        trained_at=provenance.trained_at.isoformat(),
        readings=readings,
        left_out=excluded,
        data_version=provenance.data_version,
        false_alarms_per_week=_budget(options),
        libraries=provenance.libraries,
        **_counts(detectors),
    )
    return TrainedModel(Model(manifest, detectors), examined)


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


def _compared(detector: Detector, before: Model | None, series: Series) -> Examined:
    """What the last weeks say; nothing where there is nothing to compare."""
    old = None if before is None else before.detectors.get(detector.meter.name)
    if not isinstance(detector, DetectorModel) or not isinstance(old, DetectorModel):
        return Examined()
    if detector.baseline is None or old.baseline is None:
        return Examined()
    return examine(detector, old, series.instants, series.values)


def _budget(options: TrainingOptions) -> float | None:
    return None if options.method is Method.BLOG else options.false_alarms_per_week


def _counts(detectors: Mapping[str, Detector]) -> dict[str, int]:
    """How many meters and slots have an expected power."""
    slots = sum(slots_per_week(detector.meter) for detector in detectors.values())
    trained = sum(_slots_trained(detector) for detector in detectors.values())
    return {
        "meters": len(detectors),
        "meters_learning": sum(not _slots_trained(detector) for detector in detectors.values()),
        "slots_trained": trained,
        "slots_thin": slots - trained,
    }


def _slots_trained(detector: Detector) -> int:
    if isinstance(detector, SlotForests):
        return int(detector.trained.sum())
    if detector.baseline is not None:
        return int(np.isfinite(detector.baseline.expected[0]).sum())
    return 0
