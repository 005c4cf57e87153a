"""A row on how fast several meters are scored end to end by one scorer and by two."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import HISTORY_DAYS
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.divided_scorers import DividedScorers
from usage_platform.services.tick_request import TickRequest
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.tools.bench.figures import Beside, Figure
from usage_platform_tests.tools.bench.workbench import Workbench
from usage_platform_tests.topics import put_events, renew_topics

_METERS = tuple(Meter(f"meter-{number:02}") for number in range(8))
_PARTITIONS = 4
_FIRST = date(2024, 1, 1)
_BEGIN = _FIRST + timedelta(days=HISTORY_DAYS + 1)
_DAYS = 28
_WARM = 8 * 288 * 2
"""So many readings before the measured ones: two days, for which scorers start and read models."""
_ONE_TICK = 600.0


def scorers(bench: Workbench) -> list[Figure]:
    """The same readings on several partitions, scored both ways."""
    lake = Lake(str(bench.new_folder()))
    live = _readings(lake)
    timeline = _trained(lake)
    kafka = replace(bench.fresh_kafka(), partitions=_PARTITIONS)
    one, two = (_readings_a_second(kafka, lake, live, timeline, n) for n in (1, 2))
    beside = (Beside("by one scorer", one),)
    return [Figure(f"{len(_METERS)} meters scored by two scorers", two, "readings/s", beside)]


def _readings(lake: Lake) -> pd.DataFrame:
    """Write the history to the lake; returns the readings after it, by time."""
    source = GeneratedSource(_METERS, _FIRST, HISTORY_DAYS + 1 + _DAYS, 1)
    frame = source.load(lambda done, of: None).frame
    is_past = frame["ts"] < pd.Timestamp(_BEGIN, tz="UTC")
    past = frame[is_past].rename(columns={"ts": "event_time"})
    past = past.assign(event_date=past["event_time"].dt.date, kafka_time=past["event_time"])
    table_writer(lake, READINGS, past.assign(partition=0, offset=0))
    return frame[~is_past].sort_values(["ts", "meter"], ignore_index=True)


def _trained(lake: Lake) -> ModelTimeline:
    store = ModelStore(LakeFiles(lake.models))
    until = _FIRST + timedelta(days=HISTORY_DAYS)
    train_and_promote(
        store,
        LakeReader(lake),
        MeterRegistry(),
        NO_LABELS,
        TrainingRequest([until], TrainingOptions(), promote_anyway=True),
        datetime.now(UTC),
        lambda text: None,
    )
    return ModelTimeline(store.manifests(), store.load)


def _readings_a_second(
    kafka: KafkaSettings, lake: Lake, live: pd.DataFrame, timeline: ModelTimeline, scorers: int
) -> float:
    """Consumed, scored and published in transactions, by scorers that are at work already."""
    renew_topics(kafka)
    places = [_METERS.index(Meter(name)) % _PARTITIONS for name in live["meter"]]
    events = list(zip(places, usage_messages(live), strict=True))
    running = DividedScorers(kafka, LakeReader(lake), scorers)
    try:
        for part in (events[:_WARM], events[_WARM:]):
            put_events(kafka, part)
            began = time.perf_counter()
            result = running.tick(TickRequest(timeline, MeterRegistry(), _ONE_TICK))
            seconds = time.perf_counter() - began
            if (result.events, result.notice) != (len(part), ""):
                raise SystemExit(f"not all was scored: {result}")
    finally:
        running.close()
    return result.events / seconds
