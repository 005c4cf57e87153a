"""Training weekly models on the table `readings`, each stored as its meters are trained.

Belongs here: the order of weeks and meters, what is read for them, what a killed training has left,
and what happens to a meter that cannot be trained. Memory holds the readings of one bucket of
meters and one detector, however many weeks and meters there are. Not here: training itself
(`core.detector.training`), files (`adapters.stores.unfinished_training`), promotion (`train`).
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.unfinished_training import TrainedWeek
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.detector.model_draft import ModelDraft, Provenance, history_days
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.schedule import DAYS_TO_TRAIN
from usage_platform.core.detector.training import MeterTask, TrainedMeter, train_meter
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.core.time.local_time import local_day_bounds

BUCKET_METERS = 32
"""Meters whose readings are in memory at the same time, and whose detectors share a file."""

_LIBRARIES = ("scikit-learn", "numpy", "pandas")

Progress = Callable[[str], None]


class TrainingError(ValueError):
    """There is nothing to train on, or no meter can be trained; one line for the user."""


@dataclass(frozen=True)
class TrainingRequest:
    """Which models are trained.

    Attributes:
        untils: Local days that the histories end before, ascending, at least one.
        options: How they are trained.
        meters: Which meters are trained; all where it is empty.
        promote_anyway: Whether they take over even if they are not fit.
    """

    untils: Sequence[date]
    options: TrainingOptions
    meters: tuple[str, ...] = ()
    promote_anyway: bool = False


def train_weeks(
    store: ModelStore,
    reader: LakeReader,
    registry: MeterRegistry,
    labels: pd.DataFrame,
    request: TrainingRequest,
    now: datetime,
    progress: Progress,
) -> Iterator[TrainedWeek]:
    """Train and store the models that are requested, one after the other; none is promoted.

    What a training of the same request has left that was killed is not trained again.

    The first model is compared with the newest promoted one before the first history's end, each
    further one with the last one that is fit. Arguments and errors are those of
    `services.train.train_and_promote`.
    """
    # Asked for first: what is read then holds this version at least.
    data_version = reader.state(READINGS).version
    libraries = {name: version(name) for name in _LIBRARIES}
    zone = registry.default.timezone
    before = _version_before(store, request.untils[0], zone)
    names = _meters(reader, request)
    kept = list(_detectors(store, before)) if request.meters else []
    union = sorted({*names, *kept})
    buckets = [union[at : at + BUCKET_METERS] for at in range(0, len(union), BUCKET_METERS)]
    weeks = _Weeks(
        store,
        _SlidingReadings(reader, history_days(request.options.method)),
        registry,
        labels,
        request,
        Provenance(now, data_version, libraries),
        progress,
        store.training.begin(_plan(request, registry, labels, before, libraries), buckets),
    )
    for until in request.untils:
        week = store.training.week(until) or weeks.train(until, _detectors(store, before))
        yield week
        before = week.version if week.examined.is_fit else before


@dataclass(frozen=True)
class _Summary:
    """What training the meters of a bucket led to, apart from their detectors."""

    readings: int
    left_out: int
    examined: Examined
    failed: Mapping[str, str]

    @classmethod
    def parsed(cls, text: str) -> "_Summary":
        given: dict[str, Any] = json.loads(text)
        examined = Examined(**given.pop("examined"))
        return cls(**given, examined=examined)


@dataclass(frozen=True, eq=False)
class _Weeks:
    store: ModelStore
    readings: "_SlidingReadings"
    registry: MeterRegistry
    labels: pd.DataFrame
    request: TrainingRequest
    provenance: Provenance
    progress: Progress
    buckets: Sequence[Sequence[str]]

    def train(self, until: date, before: Mapping[str, Detector]) -> TrainedWeek:
        """Train the meters of a week that are not trained yet, and make its model of them all."""
        for number, names in enumerate(self.buckets):
            if not self.store.training.has_bucket(until, number):
                self._train_bucket(until, number, names, before)
        zone, options = self.registry.default.timezone, self.request.options
        draft = ModelDraft(until, zone, options, self.provenance)
        examined, failed = Examined(), dict[str, str]()
        for number in range(len(self.buckets)):
            summary = _Summary.parsed(self.store.training.summary(until, number))
            draft.count(summary.readings, summary.left_out, len(summary.failed))
            examined += summary.examined
            failed |= summary.failed
            for name, detector in self.store.training.detectors(until, number):
                draft.add(name, detector)
        self._check_some_trained(until, failed)
        return self.store.training.end_week(until, draft.manifest(), examined, failed)

    def _train_bucket(
        self, until: date, number: int, names: Sequence[str], before: Mapping[str, Detector]
    ) -> None:
        asked = [name for name in names if self._is_asked(name)]
        history = self.readings.until(until, asked)
        readings = left_out = 0
        examined, failed = Examined(), dict[str, str]()
        with self.store.training.bucket(until, number) as bucket:
            for name in names:
                detector = old = before.get(name)
                if name in asked:
                    self.progress(f"{name}: until {until}")
                    try:
                        trained = self._trained(name, until, history, old)
                    except MemoryError:
                        raise
                    except Exception as error:
                        # Whatever it is: the other meters are trained, and this one is named.
                        failed[name] = f"{type(error).__name__}: {error}"
                        self.progress(f"{name}: not trained until {until}: {failed[name]}")
                    else:
                        detector = trained.detector
                        readings += trained.readings
                        left_out += trained.left_out
                        examined += trained.examined
                if detector is not None:
                    bucket.write(name, detector)
            summary = _Summary(readings, left_out, examined, failed)
            bucket.summarize(json.dumps(asdict(summary)))

    def _trained(
        self, name: str, until: date, history: ReadingHistory, before: Detector | None
    ) -> TrainedMeter:
        return train_meter(
            MeterTask(
                self.registry.get(name),
                history.of(name),
                self.labels,
                until,
                self.registry.default.timezone,
                self.request.options,
                before,
            )
        )

    def _is_asked(self, name: str) -> bool:
        return not self.request.meters or name in self.request.meters

    def _check_some_trained(self, until: date, failed: Mapping[str, str]) -> None:
        asked = {name for names in self.buckets for name in names if self._is_asked(name)}
        if asked and asked == set(failed):
            self.store.training.drop_week(until)
            name, reason = next(iter(failed.items()))
            raise TrainingError(
                f"no meter can be trained until {until}; the first is {name}: {reason}"
            )


class _SlidingReadings:
    """The readings of some meters before a day; with the same meters, only new days are read."""

    def __init__(self, reader: LakeReader, days: int) -> None:
        self._reader = reader
        self._reach = timedelta(days=days + 1)
        self._names: Sequence[str] = ()
        self._history = ReadingHistory()
        self._last: date | None = None

    def until(self, until: date, names: Sequence[str]) -> ReadingHistory:
        """The readings of the history that ends before a local day; UTC days are read."""
        first = until - self._reach
        if self._names != names or self._last is None or self._last > until:
            self._history, self._last = ReadingHistory(), None
        begin = first if self._last is None else max(first, self._last)
        columns = ["meter", "event_time", "value"]
        self._history.add(self._reader.rows(READINGS, columns, begin, until, names))
        for name in self._history.meters():
            self._history.forget(name, pd.Timestamp(first, tz="UTC").value)
        self._names, self._last = names, until
        return self._history


def _meters(reader: LakeReader, request: TrainingRequest) -> list[str]:
    """The meters that are trained: those asked for that have readings, or all that have."""
    reach = timedelta(days=history_days(request.options.method) + 1)
    # UTC days; a meter that begins on the day from which a model scores is known to that model.
    first = request.untils[0] - reach
    last = request.untils[-1] + timedelta(days=DAYS_TO_TRAIN + 1)
    names = reader.meters(READINGS, first, last)
    unknown = sorted(set(request.meters) - set(names))
    if unknown:
        raise TrainingError(f"readings: nothing of {', '.join(unknown)} in the history")
    return [name for name in names if not request.meters or name in request.meters]


def _version_before(store: ModelStore, until: date, zone: str) -> str | None:
    """The newest promoted model that has seen nothing of the days from `until` on."""
    end = local_day_bounds(until, zone)[0]
    older = [one.version for one in store.manifests() if one.end <= end]
    return older[-1] if older else None


def _detectors(store: ModelStore, version: str | None) -> Mapping[str, Detector]:
    return {} if version is None else store.load(version).detectors


def _plan(
    request: TrainingRequest,
    registry: MeterRegistry,
    labels: pd.DataFrame,
    before: str | None,
    libraries: Mapping[str, str],
) -> str:
    """What a training is, apart from its last week; a killed one is continued by the same only."""
    parts = {
        "first": request.untils[0],
        "options": asdict(request.options),
        "meters": request.meters,
        "registry": [meter.as_stored() for meter in (registry.default, *registry.known.values())],
        "labels": labels.to_csv(index=False),
        "before": before,
        "libraries": libraries,
    }
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
