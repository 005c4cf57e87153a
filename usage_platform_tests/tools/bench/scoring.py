"""Rows on scoring: a year from topic to topic, and what a tick of many meters costs."""

import time
from datetime import UTC, date, datetime

from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.progress import scoring_lag
from usage_platform.services.score import Scorer
from usage_platform.services.tick_request import TickRequest
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform_tests.tools.bench.figures import Beside, Figure
from usage_platform_tests.tools.bench.ingestion import put
from usage_platform_tests.tools.bench.limits import consume_a_second
from usage_platform_tests.tools.bench.made_readings import fill_readings, readings_of
from usage_platform_tests.tools.bench.naive import refit_an_event
from usage_platform_tests.tools.bench.stepwise import tick_costs
from usage_platform_tests.tools.bench.workbench import Workbench

_YEAR_DAYS = 366
_TRAINED_UNTIL = date(2024, 6, 3)
_NAIVE_EVENTS = 40
_TRIES = 30
_TICK_METERS = 10_000
_LONGEST_TICK = 600


def scored(bench: Workbench, method: Method) -> list[Figure]:
    """A year of a meter consumed, scored and published in transactions."""
    year = readings_of(1, _YEAR_DAYS)
    kafka, lake = bench.fresh_kafka(), Lake(str(bench.new_folder()))
    fill_readings(lake, 1, _YEAR_DAYS)
    store = ModelStore(LakeFiles(lake.models))
    request = TrainingRequest([_TRAINED_UNTIL], TrainingOptions(method=method))
    now = datetime.now(UTC)
    train_and_promote(
        store, LakeReader(lake), MeterRegistry(), NO_LABELS, request, now, lambda text: None
    )
    put(kafka, year)
    wait_for_coordinator(kafka)
    # Readings that were consumed before would be of the past, and not be scored again.
    nothing = Lake(str(bench.new_folder()))
    create_tables(nothing)
    scorer = Scorer(kafka, LakeReader(nothing))
    timeline = ModelTimeline(store.manifests(), store.load)
    began, used = time.perf_counter(), time.process_time()
    result = scorer.tick(TickRequest(timeline, MeterRegistry(), _LONGEST_TICK))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    scorer.close()
    if result.events != len(year) or not result.scored:
        raise RuntimeError(f"{result.events} of {len(year)} events, {result.scored} scored")
    limit = Beside("the limit: Kafka's events consumed and dropped", consume_a_second(kafka))
    beside = (limit,)
    if method is Method.BLOG:
        history = year.rename(columns={"ts": "event_time"})
        naive = refit_an_event(history, history.iloc[-_NAIVE_EVENTS:])
        beside = (Beside("the naive way: a forest fitted for each event", naive), limit)
    return [
        Figure(f"scored end to end, {method}", result.events / seconds, "readings/s", beside),
        Figure(f"  of a core, {method}", result.events / used, "readings/CPU-s"),
    ]


def tick(bench: Workbench) -> list[Figure]:
    """What scoring one reading of each of many meters costs in the scorer's process."""
    costs, meters = tick_costs(Lake(str(bench.new_folder()))), _TICK_METERS
    beside = (
        Beside("the naive way: each with its five weeks as a series", meters * costs.as_series),
        Beside("the limit: the stepwise scorer alone", meters * costs.stepwise),
    )
    what = f"CPU to score a reading of each of {meters:,} meters, state loaded"
    return [Figure(what, meters * costs.found, "CPU-s", beside, more_is_better=False)]


def wait_for_coordinator(kafka: KafkaSettings) -> None:
    """Wait for the group's coordinator: a broker that has served no group yet names none."""
    for _ in range(_TRIES):
        try:
            scoring_lag(kafka)
        except KafkaException:
            time.sleep(1)
        else:
            return
