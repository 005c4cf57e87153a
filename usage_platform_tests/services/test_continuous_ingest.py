"""Continuous ingestion on the real broker and real Spark: it takes what arrives while it runs."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE
from usage_platform.adapters.lake.lease import writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY, Lake
from usage_platform.adapters.spark.session import remote_session
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services import continuous_ingest
from usage_platform.services.backfill import recompute_days
from usage_platform.services.continuous_ingest import ingest_while_events_arrive
from usage_platform.services.ingest import drain_topics
from usage_platform.services.lake_writer import LakeWriter
from usage_platform.services.topic_progress import ingested_offsets
from usage_platform_tests import oracle
from usage_platform_tests.services.library_readings import REGISTRY, readings
from usage_platform_tests.topics import until

pytestmark = [pytest.mark.kafka, pytest.mark.spark]

HELD_BATCH = "usage_platform_tests.services.held_batch"


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Waits as a test can afford them."""
    monkeypatch.setattr(continuous_ingest, "QUIET_SECONDS", 6.0)
    monkeypatch.setattr(continuous_ingest, "REPORT_SECONDS", 0.5)


@pytest.fixture
def writer(lake, tmp_path, spark_url):
    lease = writer_lease(lake, Holder("here", str(tmp_path)))
    lock = tmp_path / "run" / "lake_writer"
    return LakeWriter(lease, lake, lock, lambda: remote_session(spark_url), lambda: True)


def ingest(writer, lake, kafka, is_awaited=lambda: False):
    """One continuous run; returns its results and its reports."""
    reports = []
    with writer.streaming() as (spark, turn):
        done = ingest_while_events_arrive(
            spark, lake, REGISTRY, kafka, turn, reports.append, is_awaited
        )
    return SimpleNamespace(results=done, reports=reports)


def assert_hours_are_right(lake: Lake, count: int) -> None:
    """The lake holds the first readings of the library, and their hours."""
    reader = LakeReader(lake)
    rows = reader.rows(READINGS).sort_values("event_time", ignore_index=True)
    assert rows["value"].tolist() == list(range(count))
    assert (rows["rev"] == 0).all()
    expected = oracle.hours_of(rows, {"library": 5})
    hours = reader.rows(USAGE_HOURLY).sort_values(["meter", "start"], ignore_index=True)
    pd.testing.assert_frame_equal(hours[expected.columns], expected, check_exact=True)


def test_what_arrives_while_it_runs_is_ingested_by_the_same_run(writer, lake, kafka, put):
    """And a late event, a repeated one, a malformed one: as one batch would have it."""
    waves = [
        usage_messages(readings(0, 30)),
        [*usage_messages(readings(32, 20)), b"not json"],
        [*usage_messages(readings(30, 2)), *usage_messages(readings(0, 5))],
    ]
    reader = LakeReader(lake)

    def publish():
        sent = 0
        for wave in waves:
            put(kafka, wave)
            sent += len(wave)
            until(lambda sent=sent: ingested_offsets(lake, kafka, USAGE).get(0, 0) == sent)

    arriving = threading.Thread(target=publish)
    arriving.start()
    run = ingest(writer, lake, kafka)
    arriving.join()

    assert_hours_are_right(lake, 52)
    assert reader.rows(REJECTS)["raw"].tolist() == [b"not json"]
    events = sum(map(len, waves))
    usage, anomaly = run.results[USAGE], run.results[ANOMALY]
    assert (usage.events, usage.offsets, anomaly.events) == (events, {"0": events}, 0)
    assert usage.batches >= len(waves)
    # Each report holds all of the run until then, so that the last one counts.
    told = [report[USAGE].events for report in run.reports]
    assert told == sorted(told)
    assert 0 < told[0] <= events


def test_a_run_continues_where_another_ended_of_either_kind(writer, lake, kafka, put):
    put(kafka, usage_messages(readings(0, 10)))
    with writer.streaming() as (spark, turn):
        drain_topics(spark, lake, REGISTRY, kafka, print, turn=turn)
    put(kafka, usage_messages(readings(10, 10)))
    assert ingest(writer, lake, kafka).results[USAGE].events == 10
    put(kafka, usage_messages(readings(20, 10)))
    with writer.streaming() as (spark, turn):
        drained = drain_topics(spark, lake, REGISTRY, kafka, print, turn=turn)
    assert drained[USAGE].events == 10
    assert_hours_are_right(lake, 30)


def test_it_ends_for_another_that_waits_and_by_age(writer, lake, kafka, put, monkeypatch):
    """Between two batches: what it has begun, it ends."""
    put(kafka, usage_messages(readings(0, 12)))
    monkeypatch.setattr(continuous_ingest, "QUIET_SECONDS", 10_000.0)
    has_some = lambda: bool(ingested_offsets(lake, kafka, USAGE))  # noqa: E731
    ingest(writer, lake, kafka, is_awaited=has_some)
    assert_hours_are_right(lake, 12)
    monkeypatch.setattr(continuous_ingest, "LONGEST_SECONDS", 3.0)
    began = time.monotonic()
    ingest(writer, lake, kafka)
    assert time.monotonic() - began >= 3.0


def test_a_batch_whose_client_was_killed_ends_before_a_backfill_reads(
    writer, lake, kafka, put, spark_url, tmp_path
):
    """Spark finishes it, and would let the backfill put the older average over the newer."""
    create_tables(lake)
    put(kafka, usage_messages(readings(0, 6)))
    ingest(writer, lake, kafka)
    put(kafka, usage_messages(readings(6, 6)))
    begun, goes_on = tmp_path / "begun", tmp_path / "goes_on"
    arguments = [lake.root, str(tmp_path), spark_url, kafka.bootstrap, str(begun), str(goes_on)]
    client = subprocess.Popen([sys.executable, "-m", HELD_BATCH, *arguments])
    until(begun.exists)
    os.kill(client.pid, signal.SIGKILL)
    client.wait()

    def backfill():
        with writer.session() as spark:
            recompute_days(spark, lake, REGISTRY, date(2024, 3, 5), date(2024, 3, 5))

    beside = threading.Thread(target=backfill)
    beside.start()
    time.sleep(2)
    goes_on.touch()
    beside.join()
    assert_hours_are_right(lake, 12)
    # The orphan is fenced from now on; the next run takes its place.
    put(kafka, usage_messages(readings(12, 6)))
    ingest(writer, lake, kafka)
    assert_hours_are_right(lake, 18)
