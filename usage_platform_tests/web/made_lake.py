"""Lakes for the page's tests: readings, their hours and anomalies, and the model that judged."""

from collections.abc import Callable
from datetime import date

import pandas as pd

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, USAGE_HOURLY, Lake
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import audited_hours
from usage_platform.core.time.calendar import calendar_named
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import TrainingRequest

WriteTable = Callable[..., None]
START = date(2023, 12, 1)
TRAINED_UNTIL = date(2024, 2, 12)
YEAR_DAYS = 366


def write_readings(lake: Lake, write: WriteTable, readings: pd.DataFrame) -> None:
    """The table `readings`: meter, event_time, value."""
    days = readings["event_time"].dt.date
    write(lake, READINGS, readings.assign(event_date=days))


def write_what_follows(
    lake: Lake,
    write: WriteTable,
    readings: pd.DataFrame,
    timeline: ModelTimeline,
    meters: MeterRegistry,
) -> None:
    """The tables `usage_hourly` and `anomalies`, as the platform would fill them."""
    newest = readings.groupby("meter")["event_time"].max()
    hours = audited_hours(readings.assign(late=False), meters, newest)
    write(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    odd = find_anomalies(readings, timeline, meters).anomalies
    write(lake, ANOMALIES, odd.assign(event_date=odd["event_time"].dt.date))


def make_year(lake: Lake, write: WriteTable, meters: tuple[Meter, ...], days: int) -> None:
    """A lake with so many days of a generated building, judged by one model of its first weeks."""
    registry = MeterRegistry(meters[0]).with_meters(meters)
    save_meters(LakeFiles(lake.assets), registry)
    made = GeneratedSource(meters, START, days, seed=1).load(lambda *progress: None)
    readings = made.frame.rename(columns={"ts": "event_time"})
    write_readings(lake, write, readings)
    options = TrainingOptions(calendar_named("US-MA"))
    request = TrainingRequest([TRAINED_UNTIL], options, (meters[0].name,))
    now = pd.Timestamp("2025-01-01T00:00Z").to_pydatetime()
    store = ModelStore(LakeFiles(lake.models))
    train_and_promote(store, LakeReader(lake), registry, NO_LABELS, request, now, lambda text: None)
    timeline = ModelTimeline(store.manifests(), store.load)
    write_what_follows(lake, write, readings, timeline, registry)
