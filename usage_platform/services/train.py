"""Training models on the table `readings`.

Belongs here: choosing the window, reading it, training each meter, and the manifest. Called by the
asset locally and by whatever trains elsewhere. Not here: the detectors themselves (`core`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.metadata import version

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.detector.baseline.slot_forests import (
    MAX_HISTORY_DAYS,
    SlotForests,
    train_slot_forests,
)
from usage_platform.core.detector.baseline.slots import slots_per_week
from usage_platform.core.detector.gate import Examined, examine
from usage_platform.core.detector.manifest import Detector, Manifest, Model, model_version
from usage_platform.core.detector.model import DetectorModel, Method, Tuning
from usage_platform.core.detector.schedule import judges_from
from usage_platform.core.detector.train import HISTORY_DAYS, train
from usage_platform.core.feedback.labels import NO_LABELS, left_out
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.local_time import local_day_bounds

_LIBRARIES = ("scikit-learn", "numpy", "pandas")

Progress = Callable[[str], None]


class TrainingError(ValueError):
    """There is nothing to train on; one line for the user."""


@dataclass(frozen=True)
class Wishes:
    """What a user chooses of a model.

    Attributes:
        method: How oddness is measured.
        tuning: The alarm budget.
        calendar: Days on which the buildings rest.
        labels: What people said of stretches of time (`core.feedback.labels.LABEL_COLUMNS`).
        meters: Which meters are trained; all where it is empty.
    """

    method: Method = Method.FOREST
    tuning: Tuning = field(default_factory=Tuning)
    calendar: Calendar = field(default_factory=Calendar)
    labels: pd.DataFrame = field(default_factory=NO_LABELS.copy)
    meters: tuple[str, ...] = ()

    @property
    def history_days(self) -> int:
        """How far a history goes back."""
        return MAX_HISTORY_DAYS if self.method is Method.BLOG else HISTORY_DAYS


@dataclass(frozen=True)
class Trained:
    """A model and what examining it said."""

    model: Model
    examined: Examined


def train_models(
    reader: LakeReader,
    registry: MeterRegistry,
    untils: Sequence[date],
    wishes: Wishes,
    now: datetime,
    progress: Progress,
    before: Model | None = None,
) -> Iterator[Trained]:
    """Train a model for each end of a history.

    Args:
        reader: The lake's tables.
        registry: The known meters; the default one's zone says where days begin.
        untils: Local days that the histories end before, ascending, at least one.
        wishes: What the user chose.
        now: The time of training, for the manifest.
        progress: Told which meter and day is trained.
        before: The newest model: of it are the detectors of meters that are not trained, and with
            it the first new model is compared.

    Raises:
        TrainingError: When there is no reading of a meter that was asked for.
    """
    zone = registry.default.timezone
    # Asked for first: what is read then holds this version at least.
    data_version = reader.state(READINGS).version
    reach = timedelta(days=wishes.history_days + 1)
    columns = ["meter", "event_time", "value"]
    rows = reader.rows(READINGS, columns, untils[0] - reach, untils[-1] + timedelta(days=1))
    unknown = sorted(set(wishes.meters) - set(rows["meter"]))
    if unknown:
        raise TrainingError(f"readings: nothing of {', '.join(unknown)} in the history")
    history = ReadingHistory()
    history.add(rows)
    names = [str(n) for n in sorted(rows["meter"].unique())]
    chosen = [name for name in names if not wishes.meters or name in wishes.meters]
    for until in untils:
        end = local_day_bounds(until, zone)[0]
        start = end - pd.Timedelta(days=wishes.history_days)
        detectors: dict[str, Detector] = dict(before.detectors) if before and wishes.meters else {}
        used = kept_out = 0
        examined = Examined()
        for name in chosen:
            progress(f"{name}: until {until}")
            series = history.of(name).since(start.value).until(end.value)
            out = left_out(name, series.instants, wishes.labels)
            used, kept_out = used + len(out), kept_out + int(out.sum())
            detectors[name] = _trained(registry.get(name), series, out, end, wishes)
            examined += _examined(detectors[name], before, series)
        begin = judges_from(until, zone)
        manifest = Manifest(
            version=model_version(begin, detectors),
            method=wishes.method.value,
            window_start=start.isoformat(),
            window_end=end.isoformat(),
            judges_from=begin.isoformat(),
            trained_at=now.isoformat(),
            readings=used,
            left_out=kept_out,
            data_version=data_version,
            false_alarms_per_week=_budget(wishes),
            libraries={name: version(name) for name in _LIBRARIES},
            **_counts(detectors),
        )
        model = Model(manifest, detectors)
        yield Trained(model, examined)
        before = model if examined.is_fit else before


def _examined(detector: Detector, before: Model | None, series: Series) -> Examined:
    """What the last weeks say; nothing where there is nothing to compare."""
    old = None if before is None else before.detectors.get(detector.meter.name)
    if not isinstance(detector, DetectorModel) or not isinstance(old, DetectorModel):
        return Examined()
    if detector.baseline is None or old.baseline is None:
        return Examined()
    return examine(detector, old, series.instants, series.values)


def _trained(
    meter: Meter,
    series: Series,
    out: np.ndarray,
    end: pd.Timestamp,
    wishes: Wishes,
) -> Detector:
    if wishes.method is Method.BLOG:
        times = pd.Series(pd.DatetimeIndex(series.instants[~out]).tz_localize("UTC"))
        history = pd.DataFrame({"event_time": times, "value": series.values[~out]})
        return train_slot_forests(history, meter, lambda done, total: None)
    values = np.where(out, np.nan, series.values)
    return train(
        series.instants, values, meter, wishes.calendar, end.value, wishes.method, wishes.tuning
    )


def _budget(wishes: Wishes) -> float | None:
    return None if wishes.method is Method.BLOG else wishes.tuning.false_alarms_per_week


def _counts(detectors: Mapping[str, Detector]) -> dict[str, int]:
    """How many meters and slots know what to expect."""
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
    if isinstance(detector, DetectorModel) and detector.baseline is not None:
        return int(np.isfinite(detector.baseline.expected[0]).sum())
    return 0


def reading_days(reader: LakeReader, zone: str) -> tuple[date, date] | None:
    """Local days of the oldest and the newest reading; None where there is no reading."""
    span = reader.span(READINGS, "event_time")
    if span is None:
        return None
    return span[0].tz_convert(zone).date(), span[1].tz_convert(zone).date()
