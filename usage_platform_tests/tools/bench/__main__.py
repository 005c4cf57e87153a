"""Prints the speeds of the platform beside those of the naive way, measured in this run."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
from confluent_kafka import OFFSET_END, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.table import Table

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, SCORER_GROUP, KafkaSettings
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.adapters.spark.session import remote_session
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace
from usage_platform.services.ingest import drain_usage
from usage_platform.services.play import play
from usage_platform.services.progress import scoring_lag
from usage_platform.services.score import Scorer
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform_tests.tools.bench.csv_load import ROWS, csv_reads
from usage_platform_tests.tools.bench.naive import flush_a_message, refit_an_event, session_a_batch
from usage_platform_tests.tools.bench.services import services

_AT_ONCE = Pace(5, AS_FAST_AS_POSSIBLE)
_NAIVE_MESSAGES = 2_000
_NAIVE_EVENTS = 40
_BATCHES = 5
_TRIES = 30
_TRAINED_UNTIL = date(2024, 6, 3)
_REGISTRY = MeterRegistry()


@dataclass(frozen=True)
class Figure:
    """One speed and its counterpart."""

    what: str
    ours: float
    naive: float
    unit: str
    more_is_better: bool

    @property
    def ratio(self) -> float:
        """How many times better ours is."""
        return self.ours / self.naive if self.more_is_better else self.naive / self.ours


def main() -> None:
    """Run everything and print the table."""
    year = (
        GeneratedSource((Meter(),), date(2024, 1, 1), 366, 1).load(lambda done, total: None).frame
    )
    figures = []
    with services() as (kafka, remote, jars, folder):
        ours, naive = csv_reads(folder)
        speeds = ours.rows_a_second, naive.rows_a_second
        figures.append(Figure("rows of a CSV read, beside pandas", *speeds, "rows/s/core", True))
        peaks = ours.peak_mib, naive.peak_mib
        figures.append(Figure(f"memory at {ROWS:,} rows, beside pandas", *peaks, "MiB", False))
        naive = flush_a_message(kafka, year.iloc[:_NAIVE_MESSAGES])
        played = play(kafka, year, "bench", _AT_ONCE, lambda progress: None)
        figures.append(
            Figure("played onto the topic", len(year) / played.seconds, naive, "readings/s", True)
        )
        lake = Lake(str(folder / "lake"))
        with remote_session(remote) as spark:
            create_tables(lake)
            drained = drain_usage(spark, lake, _REGISTRY, kafka, "usage")
            backlog = drained.events / drained.seconds
            batch = _seconds_a_batch(spark, kafka, lake)
        play(kafka, _now(), "bench", _AT_ONCE, lambda progress: None)
        alone = session_a_batch(kafka, lake.root, jars)
        figures.append(Figure("one batch, produce to usage_hourly", batch, alone, "s", False))
        blog = _scored_a_second(kafka, lake, folder, Method.BLOG)
        history = year.rename(columns={"ts": "event_time"})
        naive = refit_an_event(history, history.iloc[-_NAIVE_EVENTS:])
        scored = blog.readings_a_second
        figures.append(Figure("scored end to end, method blog", scored, naive, "readings/s", True))
        _score_anew(kafka)
        forest = _scored_a_second(kafka, lake, folder, Method.FOREST)
    table = Table("what", "ours", "naive", "unit", "times better", title="speeds")
    for figure in figures:
        row = (f"{figure.ours:,.1f}", f"{figure.naive:,.1f}", figure.unit, f"{figure.ratio:,.1f}")
        table.add_row(figure.what, *row)
    console = Console(width=100)
    console.print(table)
    console.print("a batch is timed on an open session, without Dagster's sensor and a run's start")
    console.print(f"a backlog of {drained.events:,} events into the lake: {backlog:,.0f} events/s")
    console.print(f"scored end to end, method forest: {forest.readings_a_second:,.0f} readings/s")
    for method, run in (("blog", blog), ("forest", forest)):
        console.print(f"training a meter, method {method}: {run.train_seconds:.1f} s")


def _now() -> pd.DataFrame:
    now = pd.Timestamp.now(tz="UTC").floor("5min")
    return pd.DataFrame({"meter": ["central-library"], "ts": [now], "value": [700.0]})


def _seconds_a_batch(spark: object, kafka: KafkaSettings, lake: Lake) -> float:
    """Median seconds from producing one reading until its hour is in the table, session open."""
    seconds = []
    for _ in range(_BATCHES):
        began = time.perf_counter()
        play(kafka, _now(), "bench", _AT_ONCE, lambda progress: None)
        drain_usage(spark, lake, _REGISTRY, kafka, "usage")  # type: ignore[arg-type]
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[_BATCHES // 2]


@dataclass(frozen=True)
class Scored:
    """What scoring the topic from its start took.

    Attributes:
        readings_a_second: Consumed, scored and told in transactions.
        train_seconds: For the model before.
    """

    readings_a_second: float
    train_seconds: float


def _scored_a_second(kafka: KafkaSettings, lake: Lake, folder: Path, method: Method) -> Scored:
    reader = LakeReader(lake)
    began = time.perf_counter()
    request = TrainingRequest([_TRAINED_UNTIL], TrainingOptions(method=method))
    store = ModelStore(LakeFiles(str(folder / "models" / method)))
    train_and_promote(
        store, reader, _REGISTRY, NO_LABELS, request, datetime.now(UTC), lambda text: None
    )
    train_seconds = time.perf_counter() - began
    _wait_for_coordinator(kafka)
    scorer = Scorer(kafka, reader)
    began = time.perf_counter()
    result = scorer.tick(ModelTimeline(store.manifests(), store.load), _REGISTRY, 600, listen=False)
    seconds = time.perf_counter() - began
    scorer.close()
    return Scored(result.events / seconds, train_seconds)


def _wait_for_coordinator(kafka: KafkaSettings) -> None:
    """A broker that has served no group yet names none at first."""
    for _ in range(_TRIES):
        try:
            scoring_lag(kafka)
        except KafkaException:
            time.sleep(1)
        else:
            return


def _score_anew(kafka: KafkaSettings) -> None:
    """Let the next scorer begin at the topic's start, knowing of nothing that was told."""
    admin = AdminClient(kafka.client())
    admin.delete_consumer_groups([SCORER_GROUP])[SCORER_GROUP].result()
    told = [TopicPartition(topic, 0, OFFSET_END) for topic in (ANOMALY, EPISODE)]
    for deleted in admin.delete_records(told).values():
        deleted.result()


if __name__ == "__main__":
    main()
