"""A day is backfilled while live data for the same day arrives: the tables are the oracle's."""

import fcntl
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from pyspark.sql.connect.dataframe import DataFrame

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.defs.lake_assets import streams_into_lake, usage_hourly
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.backfill import recompute_days
from usage_platform_tests.adapters.lake.busy_topic import MINUTES, REGISTRY, apply
from usage_platform_tests.oracle import Event, assert_right, event

DAY = date(2024, 3, 5)
METERS = {"library": 5, "annex": 5}
ROUNDS = 2
FOREVER = 240.0

pytestmark = pytest.mark.spark


@pytest.fixture
def deployment(spark_url, tmp_path, monkeypatch):
    """A platform on an empty data folder, as each run of Dagster finds it in the environment."""
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_SPARK_REMOTE", spark_url)
    return PlatformResource().deployment


def materialize(asset, **options):
    with dg.DagsterInstance.ephemeral() as instance:
        platform = {"platform": PlatformResource()}
        assert dg.materialize([asset], instance=instance, resources=platform, **options).success


def rounds_of_a_day():
    """The readings of a day in shuffled parts, each with corrections of what came before."""
    rng = np.random.default_rng(3)
    times = pd.date_range(DAY, periods=288, freq="5min", tz="UTC", unit="ns")
    events = [event(meter, ts, rng.random()) for meter in METERS for ts in times]
    rng.shuffle(events)
    parts = [events[n::ROUNDS] for n in range(ROUNDS)]
    for n, part in enumerate(parts):
        seen = [e for earlier in parts[: n + 1] for e in earlier]
        wrong = [seen[int(i)].reading for i in rng.integers(0, len(seen), 40)]
        part += [event(meter, ts, value + 1 + n) for meter, ts, value in wrong]
    return parts


@pytest.mark.kafka
def test_a_day_backfilled_again_and_again_while_it_arrives_is_right(
    deployment, kafka, put, read_all, monkeypatch
):
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", kafka.bootstrap)
    rounds = rounds_of_a_day()
    meaning = {e.payload: e.reading for part in rounds for e in part}
    arrived = threading.Event()
    in_lake = threading.Event()

    def live():
        try:
            for part in rounds:
                put(kafka, [e.payload for e in part])
                materialize(streams_into_lake)
                in_lake.set()
        finally:
            in_lake.set()
            arrived.set()

    def backfill():
        count = 0
        in_lake.wait()
        while not arrived.is_set():
            materialize(usage_hourly, partition_key=DAY.isoformat())
            count += 1
        return count

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(live), threads.submit(backfill)]
    both[0].result()
    assert both[1].result() >= 1
    events = [
        Event(
            message.value(),
            meaning[message.value()],
            message.offset(),
            message.partition(),
            pd.Timestamp(message.timestamp()[1], unit="ms", tz="UTC"),
        )
        for message in read_all(kafka, USAGE)
    ]
    assert len(events) == sum(map(len, rounds))
    assert_right(deployment.lake, events, METERS)


def test_a_backfill_and_a_batch_of_the_same_hour_write_one_after_the_other(deployment, monkeypatch):
    """The batch comes when the backfill has read the hour's readings and not yet written it."""
    first, second = (event("library", f"{DAY}T10:0{n}:00Z", 1.0 + n, offset=n) for n in (0, 5))
    has_read, goes_on = threading.Event(), threading.Event()
    lock, to_arrow = fcntl.flock, DataFrame.toArrow
    create_tables(deployment.lake)
    apply(deployment.lake, [first])

    def backfill():
        with deployment.lake_writer.session() as spark:
            recompute_days(spark, deployment.lake, REGISTRY, DAY, DAY)

    def batch():
        try:
            with deployment.lake_writer.session():
                apply(deployment.lake, [second])
        finally:
            goes_on.set()

    def read_and_wait_for_the_batch(frame):
        rows = to_arrow(frame)
        if threading.current_thread().name.startswith("backfill"):
            has_read.set()
            assert goes_on.wait(FOREVER)
        return rows

    def lock_and_tell(file, operation):
        is_batch = threading.current_thread().name.startswith("batch")
        if is_batch and Path(file.name).name == "lake_writer":
            goes_on.set()
        lock(file, operation)

    monkeypatch.setattr(DataFrame, "toArrow", read_and_wait_for_the_batch)
    monkeypatch.setattr(fcntl, "flock", lock_and_tell)
    with (
        ThreadPoolExecutor(1, "backfill") as older,
        ThreadPoolExecutor(1, "batch") as newer,
    ):
        backfilled = older.submit(backfill)
        assert has_read.wait(FOREVER)
        written = newer.submit(batch)
        written.result()
        backfilled.result()
    assert_right(deployment.lake, [first, second], MINUTES)
