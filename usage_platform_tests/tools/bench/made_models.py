"""Models of any number of meters: one detector that was trained, copied for each meter.

Belongs here: making them quickly. Training each would take hours for many meters.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from tempfile import TemporaryDirectory

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.manifest import Model
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import HISTORY_DAYS
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform_tests.tools.bench.made_readings import FIRST, fill_readings, meter_names


def copied_model(lake: Lake, meters: int, scores_from: date) -> None:
    """Give a lake a promoted model of some meters with detectors of a full history.

    Args:
        lake: The lake.
        meters: How many.
        scores_from: The day from which the model scores.
    """
    one = _trained()
    detector = next(iter(one.detectors.values()))
    begin = datetime(scores_from.year, scores_from.month, scores_from.day, tzinfo=UTC)
    manifest = replace(one.manifest, version="copied", judges_from=begin.isoformat(), meters=meters)
    detectors = {name: replace(detector, meter=Meter(name)) for name in meter_names(meters)}
    store = ModelStore(LakeFiles(lake.models))
    store.save(Model(manifest, detectors))
    store.promote([manifest.version])


def timeline_of(lake: Lake) -> ModelTimeline:
    """The promoted models of a lake."""
    store = ModelStore(LakeFiles(lake.models))
    return ModelTimeline(store.manifests(), store.load)


@cache
def _trained() -> Model:
    """A model of one meter with a full history."""
    with TemporaryDirectory(prefix="usage-bench-model-") as folder:
        lake = Lake(folder)
        fill_readings(lake, 1, HISTORY_DAYS)
        store = ModelStore(LakeFiles(lake.models))
        until = FIRST + timedelta(days=HISTORY_DAYS)
        request = TrainingRequest([until], TrainingOptions(), promote_anyway=True)
        now = datetime.now(UTC)
        train_and_promote(
            store, LakeReader(lake), MeterRegistry(), NO_LABELS, request, now, lambda text: None
        )
        model = store.load(store.candidates()[-1].version)
        # Its detectors are read when they are first used; the folder goes away.
        return Model(model.manifest, dict(model.detectors))
