"""Training weekly models on the table `readings`, each stored as its meters are trained.

Belongs here: the order of weeks and buckets of meters, and what a killed training has left. Not
here: training a bucket (`train_bucket`), files (`adapters.stores.unfinished_training`), promotion
(`train`).
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from itertools import chain, pairwise

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.unfinished_training import TrainedWeek
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.model_draft import ModelDraft, Provenance, history_days
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.schedule import DAYS_TO_TRAIN
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.services.sliding_readings import SlidingReadings
from usage_platform.services.train_bucket import (
    Bucket,
    BucketSummary,
    BucketTrainer,
    TrainedBucket,
)

BUCKET_METERS = 32
"""Most meters that are trained together, and whose detectors share a file."""

_LEAST_IN_A_BUCKET = 4
_BUCKETS_AT_LEAST = 8

_LIBRARIES = ("scikit-learn", "numpy", "pandas")

Progress = Callable[[str], None]

Spread = Callable[[BucketTrainer, Sequence[Bucket]], Iterable[TrainedBucket]]
"""Trains buckets in any order: `map`, or several at a time on other processors."""


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
    spread: Spread = map,
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
    kept = list(store.detectors(before)) if request.meters else []
    plan = _plan(request, registry, labels, before, libraries)
    buckets = store.training.begin(plan, _in_buckets(sorted({*names, *kept})))
    readings = SlidingReadings(reader, request.options.method)
    weeks = _Weeks(
        store,
        BucketTrainer(readings, store.root, registry, labels, request.options, request.meters),
        # A process of its own takes longer to start than a few meters to train.
        spread if len(buckets) > 1 else map,
        Provenance(now, data_version, libraries),
        progress,
        plan,
        buckets,
    )
    for until in request.untils:
        week = store.training.week(until) or weeks.train(until, before)
        yield week
        before = week.version if week.examined.is_fit else before


@dataclass(frozen=True, eq=False)
class _Weeks:
    store: ModelStore
    trainer: BucketTrainer
    spread: Spread
    provenance: Provenance
    progress: Progress
    plan: str
    buckets: Sequence[Sequence[str]]

    def train(self, until: date, before: str | None) -> TrainedWeek:
        """Train the meters of a week that are not trained yet, and make its model of them all."""
        training = self.store.training
        missing = [
            Bucket(self.plan, until, number, tuple(names), before)
            for number, names in enumerate(self.buckets)
            if not training.has_bucket(self.plan, until, number)
        ]
        of = len(self._asked(self.buckets))
        done = of - len(self._asked(bucket.names for bucket in missing))
        for trained in self.spread(self.trainer, missing):
            done += trained.meters
            for line in trained.failures:
                self.progress(line)
            self.progress(f"until {until}: {done:,} of {of:,} meters")
        return self._ended(until)

    def _ended(self, until: date) -> TrainedWeek:
        """The model of a week that has all its buckets."""
        training, options = self.store.training, self.trainer.options
        draft = ModelDraft(until, self.trainer.registry.default.timezone, options, self.provenance)
        examined, failed = Examined(), dict[str, str]()
        for number in range(len(self.buckets)):
            summary = BucketSummary.parsed(training.summary(self.plan, until, number))
            draft.count(summary.readings, summary.left_out, len(summary.failed))
            examined += summary.examined
            failed |= summary.failed
            for name, detector in training.detectors(self.plan, until, number):
                draft.add(name, detector)
        self._check_some_trained(until, failed)
        return training.end_week(until, draft.manifest(), examined, failed)

    def _asked(self, buckets: Iterable[Sequence[str]]) -> list[str]:
        return [name for name in chain.from_iterable(buckets) if self.trainer.is_asked(name)]

    def _check_some_trained(self, until: date, failed: Mapping[str, str]) -> None:
        asked = self._asked(self.buckets)
        if asked and set(asked) == set(failed):
            self.store.training.drop_week(self.plan, until)
            name, reason = next(iter(failed.items()))
            raise TrainingError(
                f"no meter can be trained until {until}; the first is {name}: {reason}"
            )


def _in_buckets(names: Sequence[str]) -> list[Sequence[str]]:
    """Meters that follow each other by name, in buckets of one size: some for each processor."""
    least = math.ceil(len(names) / BUCKET_METERS)
    count = max(least, min(_BUCKETS_AT_LEAST, len(names) // _LEAST_IN_A_BUCKET))
    ends = [len(names) * (at + 1) // count for at in range(count)]
    return [names[begin:end] for begin, end in pairwise([0, *ends])]


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
