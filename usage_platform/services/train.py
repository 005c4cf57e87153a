"""Training models on the table `readings`, and promoting those that are fit.

Belongs here: reading the lake, storing the models, and which of them take over. Called by the asset
locally and by the job on a cluster. Not here: training itself (`core.detector.training`), which
models are wanted (the asset), where they are trained (`cluster`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.manifest import Model
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.schedule import DAYS_TO_TRAIN
from usage_platform.core.detector.training import (
    Provenance,
    TrainedModel,
    TrainingData,
    history_days,
    train_models,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.core.time.local_time import local_day_bounds

_LIBRARIES = ("scikit-learn", "numpy", "pandas")

Progress = Callable[[str], None]


class TrainingError(ValueError):
    """There is nothing to train on; one line for the user."""


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


@dataclass(frozen=True)
class TrainingResult:
    """What a request led to.

    Attributes:
        versions: The models, in the order of their histories.
        promoted: Those of them that take over.
        examined: How the last of them compares with the one before it.
    """

    versions: Sequence[str]
    promoted: Sequence[str]
    examined: Examined


def train_and_promote(
    store: ModelStore,
    reader: LakeReader,
    registry: MeterRegistry,
    labels: pd.DataFrame,
    request: TrainingRequest,
    now: datetime,
    progress: Progress,
) -> TrainingResult:
    """Train the models that are requested, store them and promote the fit ones.

    Args:
        store: Where the models are kept.
        reader: The lake's tables.
        registry: The known meters; the default one's zone says where days begin.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`).
        request: Which models.
        now: The time of training, for the manifests.
        progress: Called with a line for each meter and day.

    Raises:
        TrainingError: When there is no reading of a meter that was asked for.
        LakeError: When the readings or the models cannot be reached.
    """
    before = _before(store, request.untils[0], registry.default.timezone)
    trained = list(train_on_lake(reader, registry, labels, request, now, progress, before))
    models = [one.model for one in trained]
    fit = [one.model for one in trained if one.examined.is_fit or request.promote_anyway]
    promoted = [model.manifest.version for model in fit]
    # All at once: the stream must not score by one of them what the next is meant for.
    store.add(models, promoted)
    versions = [model.manifest.version for model in models]
    return TrainingResult(versions, promoted, trained[-1].examined)


def train_on_lake(
    reader: LakeReader,
    registry: MeterRegistry,
    labels: pd.DataFrame,
    request: TrainingRequest,
    now: datetime,
    progress: Progress,
    before: Model | None = None,
) -> Iterator[TrainedModel]:
    """Train the models that are requested, one after the other, and store none.

    Args:
        reader: The lake's tables.
        registry: The known meters; the default one's zone says where days begin.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`).
        request: Which models.
        now: The time of training, for the manifests.
        progress: Called with a line for each meter and day.
        before: The model that the first one is compared with; meters that are not trained keep its
            detectors.

    Raises:
        TrainingError: When there is no reading of a meter that was asked for.
        LakeError: When the readings cannot be reached.
    """
    # Asked for first: what is read then holds this version at least.
    data_version = reader.state(READINGS).version
    history = _history(reader, request)
    unknown = sorted(set(request.meters) - set(history.meters()))
    if unknown:
        raise TrainingError(f"readings: nothing of {', '.join(unknown)} in the history")
    yield from train_models(
        TrainingData(history, registry, labels),
        request.untils,
        request.options,
        Provenance(now, data_version, {name: version(name) for name in _LIBRARIES}),
        meters=request.meters,
        before=before,
        progress=progress,
    )


def _history(reader: LakeReader, request: TrainingRequest) -> ReadingHistory:
    reach = timedelta(days=history_days(request.options.method) + 1)
    # UTC days; a meter that begins on the day from which a model scores is known to that model.
    first = request.untils[0] - reach
    last = request.untils[-1] + timedelta(days=DAYS_TO_TRAIN + 1)
    history = ReadingHistory()
    history.add(reader.rows(READINGS, ["meter", "event_time", "value"], first, last))
    return history


def _before(store: ModelStore, until: date, zone: str) -> Model | None:
    """The newest promoted model that has seen nothing of the days from `until` on."""
    end = local_day_bounds(until, zone)[0]
    older = [one for one in store.manifests() if one.end <= end]
    return store.load(older[-1].version) if older else None


def reading_days(reader: LakeReader, zone: str) -> tuple[date, date] | None:
    """Local days of the oldest and the newest reading; None where there is no reading."""
    span = reader.span(READINGS, "event_time")
    if span is None:
        return None
    return span[0].tz_convert(zone).date(), span[1].tz_convert(zone).date()
