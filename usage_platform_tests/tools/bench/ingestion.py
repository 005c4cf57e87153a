"""Rows on events into the lake: backlogs, and one batch with a reading of each of many meters.

Belongs here: what is ingested and timed. Not here: the physical limits beside it (`limits`).
"""

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import remote_session
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace
from usage_platform.services.ingest import DrainResult, drain_topics
from usage_platform.services.play import play
from usage_platform_tests.tools.bench.figures import Beside, Figure
from usage_platform_tests.tools.bench.limits import append_a_second, consume_a_second
from usage_platform_tests.tools.bench.made_readings import newest_readings, readings_of
from usage_platform_tests.tools.bench.naive import session_a_batch
from usage_platform_tests.tools.bench.process_usage import watched
from usage_platform_tests.tools.bench.workbench import Workbench

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AT_ONCE = Pace(5, AS_FAST_AS_POSSIBLE)
_BATCHES = 5
_WARM_METERS = 100
_INTERVAL = timedelta(minutes=5)


def backlog(bench: Workbench, meters: int, days: int) -> list[Figure]:
    """Events that wait on the topic, into `readings` and `usage_hourly`, after a day of others."""
    kafka, lake = bench.fresh_kafka(), Lake(str(bench.new_folder()))
    readings = readings_of(meters, days, skipped=1)
    with remote_session(bench.spark_url) as spark:
        # A JVM that has just started interprets its code.
        put(kafka, readings_of(_WARM_METERS, 1))
        ingest(bench, spark, kafka, lake)
        put(kafka, readings)
        with watched() as used:
            drained = ingest(bench, spark, kafka, lake)
    if drained.events != len(readings):
        raise RuntimeError(f"{drained.events} of {len(readings)} events were ingested")
    beside = (
        Beside("the limit: Kafka's events consumed and dropped", consume_a_second(kafka)),
        Beside("the limit: the same rows appended to a Delta table", append_a_second(lake, bench)),
    )
    what = f"{drained.events:,} events of {meters:,} meters x {days:,} days"
    per_event = 1e6 * used.cpu_seconds / drained.events
    return [
        Figure(what, drained.events / drained.seconds, "events/s", beside),
        Figure("  CPU of all processes", per_event, "µs/event", more_is_better=False),
    ]


def batch(bench: Workbench, meters: int) -> list[Figure]:
    """From producing a reading of each meter until all their hours are in the table."""
    kafka, lake = bench.fresh_kafka(), Lake(str(bench.new_folder()))
    at = datetime.now(UTC) - (_BATCHES + 1) * _INTERVAL
    seconds: list[float] = []
    with remote_session(bench.spark_url) as spark:
        _seconds_of(bench, spark, kafka, lake, newest_readings(meters, at))
        with watched() as used:
            for number in range(1, _BATCHES + 1):
                readings = newest_readings(meters, at + number * _INTERVAL)
                seconds.append(_seconds_of(bench, spark, kafka, lake, readings))
    median = sorted(seconds)[_BATCHES // 2]
    alone: tuple[Beside, ...] = ()
    if meters == 1:
        put(kafka, newest_readings(meters, datetime.now(UTC)))
        naive = session_a_batch(kafka, lake.root, bench.spark_jars)
        alone = (Beside("the naive way: a Spark session for each batch", naive),)
    return [
        Figure(
            f"a batch with a reading of each of {meters:,} meters, produced to in its hour",
            median,
            "s",
            alone,
            more_is_better=False,
        ),
        Figure("  CPU of all processes", used.cpu_seconds / _BATCHES, "s", more_is_better=False),
    ]


def put(kafka: KafkaSettings, readings: pd.DataFrame) -> float:
    """Play readings onto the topic as fast as it goes; returns the seconds."""
    return play(kafka, readings, "bench", AT_ONCE, lambda progress: None).seconds


def ingest(
    bench: Workbench, spark: "SparkSession", kafka: KafkaSettings, lake: Lake
) -> DrainResult:
    """Ingest all events that wait, profiled where that is asked for."""
    turn = bench.turn
    return drain_topics(spark, lake, MeterRegistry(), kafka, lambda line: None, turn=turn)[USAGE]  # type: ignore[arg-type]


def _seconds_of(
    bench: Workbench,
    spark: "SparkSession",
    kafka: KafkaSettings,
    lake: Lake,
    readings: pd.DataFrame,
) -> float:
    began = time.perf_counter()
    put(kafka, readings)
    ingest(bench, spark, kafka, lake)
    return time.perf_counter() - began
