"""The stages whose cost is measured, each as the platform runs it.

A stage is prepared without being measured, and gives back its work. It runs in a process of its
own, so that its memory is not that of a stage before it.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.spark.session import remote_session
from usage_platform.adapters.stores.cost_record import CostRecord
from usage_platform.adapters.stores.findings_record import FindingsRecord
from usage_platform.adapters.stores.groups import GroupsStore
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.tariff import flat_tariff
from usage_platform.core.time.calendar import calendar_named
from usage_platform.services.backfill import recompute_range
from usage_platform.services.fleet import FleetCache, FleetSource
from usage_platform.services.ingest import drain_topics
from usage_platform.services.meter_findings import FindingInputs
from usage_platform.services.page_data import YearCache
from usage_platform.services.score import Scorer
from usage_platform.services.score_state import restored
from usage_platform.services.tick_request import TickRequest
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform.services.usage_cost import CostInputs, compute_month, months_due
from usage_platform.services.usage_findings import compute_findings
from usage_platform_tests.tools.bench.ingestion import put
from usage_platform_tests.tools.bench.made_models import timeline_of
from usage_platform_tests.tools.bench.made_readings import FIRST, meter_names
from usage_platform_tests.tools.bench.scale.curve import Axis
from usage_platform_tests.tools.bench.scale.place import Place
from usage_platform_tests.tools.bench.scoring import wait_for_coordinator

Work = Callable[[], object]
_METERS = MeterRegistry()
_LONGEST_TICK = 3600.0
_PRICE = 0.2


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes:
        what: What it does.
        prepare: Prepares it, and gives back the work that is measured.
        axes: Along what it is measured.
    """

    what: str
    prepare: Callable[[Place], Work]
    axes: tuple[Axis, ...] = (Axis.METERS, Axis.MONTHS)


def _publish(place: Place) -> Work:
    events = place.events()
    return lambda: put(place.kafka, events)


def _ingest(place: Place) -> Work:
    def work() -> None:
        with remote_session(place.spark_url) as spark:
            done = drain_topics(spark, place.new_lake, _METERS, place.kafka, lambda line: None)
        _require(done[USAGE].events, len(place.events()))

    return work


def _hours(place: Place) -> Work:
    last = (place.end - pd.Timedelta(days=1)).date()
    first = last if place.size.axis is Axis.METERS else FIRST

    def work() -> None:
        with remote_session(place.spark_url) as spark:
            recompute_range(spark, place.lake, _METERS, first, last, lambda line: None)

    return work


def _restore(place: Place) -> Work:
    return lambda: restored(place.kafka, place.reader, _METERS, {0: 0})


def _score(place: Place) -> Work:
    wait_for_coordinator(place.kafka)
    is_of_meters = place.size.axis is Axis.METERS
    lake = place.lake if is_of_meters else place.new_lake
    timeline = timeline_of(lake)
    scorer = Scorer(place.kafka, LakeReader(lake))
    known = 0
    if is_of_meters:
        # A reading of each restores the state and loads the detectors, as in a scorer that runs.
        soon = place.end + pd.Timedelta(minutes=5)
        known = scorer.tick(TickRequest(timeline, _METERS, _LONGEST_TICK, horizon=soon)).events

    def work() -> None:
        result = scorer.tick(TickRequest(timeline, _METERS, _LONGEST_TICK))
        _require(known + result.events, len(place.events()))

    return work


def _train(place: Place) -> Work:
    store = ModelStore(LakeFiles(str(place.folder / "trained")))
    request = TrainingRequest([place.end.date()], TrainingOptions(), promote_anyway=True)
    now = datetime.now(UTC)
    return lambda: train_and_promote(
        store, place.reader, _METERS, NO_LABELS, request, now, lambda text: None
    )


def _findings(place: Place) -> Work:
    inputs = FindingInputs(place.reader, _tariffs(), _METERS, calendar_named("US-MA"), Groups())
    record = FindingsRecord(LakeFiles(place.lake.assets))
    moment = place.end.value
    return lambda: compute_findings(inputs, record, moment, nullcontext, lambda line: None)


def _costs(place: Place) -> Work:
    inputs = CostInputs(place.reader, _tariffs(), _METERS)
    record = CostRecord(LakeFiles(place.lake.assets))

    def work() -> None:
        for month in months_due(inputs, record):
            compute_month(inputs, record, month, lambda line: None)

    return work


def _fleet(place: Place) -> Work:
    assets = LakeFiles(place.lake.assets)
    source = FleetSource(
        reader=place.reader,
        models=ModelStore(LakeFiles(place.lake.models)),
        registry=lambda: _METERS,
        reviews=ReviewStore(assets),
        groups=GroupsStore(assets),
        clock=time.monotonic,
        now=lambda: place.end.value,
    )
    return lambda: _require(len(FleetCache(source, None).fleet().meters), place.size.meters)


def _overview(place: Place) -> Work:
    cache = YearCache(place.reader, lambda: timeline_of(place.lake), time.monotonic)
    return lambda: cache.year(Meter(meter_names(1)[0]), None)


def _tariffs() -> TariffBook:
    return TariffBook((flat_tariff(_PRICE, "USD"),))


def _require(done: int, wanted: int) -> None:
    if done != wanted:
        raise RuntimeError(f"{done} of {wanted} were done")


STAGES: Mapping[str, Stage] = {
    "publish": Stage("a day of each meter, or all months, onto the topic", _publish),
    "ingest": Stage("the same events into readings and usage_hourly", _ingest),
    "hours": Stage("a backfill of the hours of a day, or of all days", _hours),
    "restore": Stage("the state of a scorer that starts", _restore, (Axis.METERS,)),
    "score": Stage("the events scored and published", _score),
    "train": Stage("a week's models on one processor", _train),
    "findings": Stage("the nightly findings of all meters", _findings),
    "costs": Stage("the costs of all months", _costs),
    "fleet": Stage("the first answer of the page of all meters", _fleet),
    "overview": Stage("the first answer of the page of a meter", _overview),
}
"""In their order: publishing comes before what needs the events."""
