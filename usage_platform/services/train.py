"""Training models on the table `readings`, and promoting those that are fit.

Belongs here: which of the trained models take over. Called by the asset locally and by the job on a
cluster. Not here: training and storing them (`train_weeks`), which models are wanted (the asset),
where they are trained (`cluster`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.gate import Examined
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.train_weeks import Progress, Spread, TrainingRequest, train_weeks


@dataclass(frozen=True)
class TrainingResult:
    """What a request led to.

    Attributes:
        versions: The models, in the order of their histories.
        promoted: Those of them that take over.
        examined: How the last of them compares with the one before it.
        failed: Why a meter could not be trained, by meter; the newest reason.
    """

    versions: Sequence[str]
    promoted: Sequence[str]
    examined: Examined
    failed: Mapping[str, str] = field(default_factory=dict[str, str])


def train_and_promote(
    store: ModelStore,
    reader: LakeReader,
    registry: MeterRegistry,
    labels: pd.DataFrame,
    request: TrainingRequest,
    now: datetime,
    progress: Progress,
    spread: Spread = map,
) -> TrainingResult:
    """Train the models that are requested, store them and promote the fit ones.

    Args:
        store: Where the models are kept.
        reader: The lake's tables.
        registry: The known meters; the default one's zone says where days begin.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`).
        request: Which models.
        now: The time of training, for the manifests.
        progress: Called with a line for each bucket of meters, and for each that fails.
        spread: Where the buckets are trained; by default one after the other in this process.

    Raises:
        TrainingError: When there is no reading of a meter that was asked for, or when no meter of
            a week can be trained.
        LakeError: When the readings or the models cannot be reached.
    """
    weeks = list(train_weeks(store, reader, registry, labels, request, now, progress, spread))
    promoted = [week.version for week in weeks if week.examined.is_fit or request.promote_anyway]
    # All at once: the stream must not score by one of them what the next is meant for.
    store.end_training(promoted)
    failed = {name: reason for week in weeks for name, reason in week.failed.items()}
    return TrainingResult([week.version for week in weeks], promoted, weeks[-1].examined, failed)


def reading_days(reader: LakeReader, zone: str) -> tuple[date, date] | None:
    """Local days of the oldest and the newest reading; None where there is no reading."""
    span = reader.span(READINGS, "event_time")
    if span is None:
        return None
    return span[0].tz_convert(zone).date(), span[1].tz_convert(zone).date()
