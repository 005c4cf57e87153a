"""Five meters of a library and trainings of what is due of them."""

from datetime import UTC, date, datetime

import pandas as pd

from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.manifest import model_version
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.due_models import due_models
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform_tests.core.detector.series import HOURLY, library

REGISTRY = MeterRegistry(HOURLY)
ZONE = HOURLY.timezone
NOW = datetime(2024, 5, 1, tzinfo=UTC)
FIRST = date(2024, 1, 1)
METERS = ("a", "b", "c", "d", "e")
FAST = TrainingOptions(method=Method.ROBUST_Z)


def readings(meter, seed=0, days=56):
    instants, values = library(days, seed)
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    frame = pd.DataFrame({"meter": meter, "event_time": times, "value": values})
    return frame.assign(event_date=frame["event_time"].dt.date)


def run(files, reader, progress=lambda text: None, options=FAST, meters=(), spread=map):
    """A run as the sensor starts it: whatever is due."""
    store = ModelStore(files)
    untils = due_models(reader, store, ZONE)
    request = TrainingRequest(untils, options, meters)
    return train_and_promote(store, reader, REGISTRY, NO_LABELS, request, NOW, progress, spread)


def content(files):
    """Everything in the store: each model by its detectors and manifest, and what is promoted."""
    store = ModelStore(files)
    for one in store.candidates():
        detectors = store.load(one.version).detectors
        assert model_version(one.begin, detectors) == one.version
        assert list(detectors) == sorted(detectors)
    return store.candidates(), store.promoted()
