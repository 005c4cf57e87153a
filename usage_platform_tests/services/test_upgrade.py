"""Upgrades: a lake written by a former version goes on in this one, nothing lost or doubled."""

import json
import shutil
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import (
    ANOMALIES,
    READINGS,
    REJECTS,
    TABLES,
    USAGE_HOURLY,
    Lake,
)
from usage_platform.adapters.spark.maintenance import keep_tables
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform.services.ingest import drain_anomalies, drain_usage
from usage_platform.services.progress import ingestion_lag
from usage_platform.services.topic_progress import ingested_offsets
from usage_platform_tests.repository import ROOT

FIXTURES = ROOT / "usage_platform_tests" / "fixtures"
# By its folder, how many of a lake's models are left to judge: those before the detector do not.
FORMER = {"lake_before_detector": 0, "lake_before_anomaly_times": 1}
REGISTRY = MeterRegistry(Meter("library", "UTC", 60))
KEYS = {
    READINGS: ["event_time"],
    USAGE_HOURLY: ["start"],
    REJECTS: ["offset"],
    ANOMALIES: ["event_time"],
}

pytestmark = [pytest.mark.kafka, pytest.mark.spark]


def lines(topic, former):
    return (FIXTURES / former / f"{topic}.jsonl").read_bytes().splitlines()


def tables(lake):
    reader = LakeReader(lake)
    return {t.name: reader.rows(t).sort_values(KEYS[t], ignore_index=True) for t in TABLES}


def reading(ts, value):
    return json.dumps({"meter": "library", "ts": ts, "value": value}).encode()


LATER = [
    # A correction of the past, a day in between, and the days that settle the first ones.
    reading("2024-03-05T07:00:00Z", 500.0),
    *(reading(f"2024-03-0{day}T{hour:02}:00:00Z", 7.0) for day in (7, 8) for hour in range(24)),
    b"still not json",
]


@pytest.fixture(params=FORMER)
def upgraded(request, fresh_topics, put, spark, tmp_path):
    """A former lake, taken over as the micro-batch and the upkeep do, as more events come."""
    kafka, lake = fresh_topics(), Lake(str(tmp_path / "lake"))
    shutil.copytree(FIXTURES / request.param / "lake", lake.root)
    seen = SimpleNamespace(lake=lake, kafka=kafka, before=tables_of_former(lake))
    seen.judging = FORMER[request.param]
    seen.topics = {topic: lines(topic, request.param) for topic in (USAGE, ANOMALY)}
    for topic, events in seen.topics.items():
        put(kafka, events, topic=topic)
    seen.lag = [ingestion_lag(lake, kafka, topic) for topic in (USAGE, ANOMALY)]
    create_tables(lake)
    put(kafka, LATER)
    # Told by the former version, and come only now.
    told = json.loads(seen.topics[ANOMALY][0]) | {
        "anomaly_id": "f" * 16,
        "ts": "2024-03-08T05:00:00Z",
    }
    put(kafka, [json.dumps(told).encode()], topic=ANOMALY)
    seen.drained = drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    seen.told = drain_anomalies(spark, lake, kafka, ANOMALY)
    seen.after = tables(lake)
    seen.kept = {one.table: one for one in keep_tables(spark, LakeReader(lake), 168)}
    return seen


def tables_of_former(lake):
    reader = LakeReader(lake)
    return {table.name: reader.rows(table) for table in TABLES}


def test_a_lake_of_a_former_version_goes_on_as_if_this_one_had_written_it(upgraded):
    before, after, lake = upgraded.before, upgraded.after, upgraded.lake
    # Its checkpoints count: nothing is read a second time.
    assert upgraded.lag == [0, 0]
    assert (upgraded.drained.events, upgraded.told.events) == (len(LATER), 1)
    assert ingested_offsets(lake, upgraded.kafka, USAGE) == {
        0: len(upgraded.topics[USAGE]) + len(LATER)
    }

    readings = after["readings"]
    assert len(before["readings"]) == 48
    assert len(readings) == 48 + 48
    corrected = readings.set_index("event_time").loc["2024-03-05T07:00:00Z"]
    assert (corrected["value"], corrected["rev"]) == (500.0, 1)
    expected = hourly_from_readings(readings, REGISTRY).astype(
        {"n": "int32", "expected_n": "int32"}
    )
    pd.testing.assert_frame_equal(after["usage_hourly"][HOURLY_COLUMNS], expected, check_exact=True)
    assert after["rejects"]["offset"].tolist() == [24, 25, 50, 100]

    # The columns that came since are there, and unknown of old anomalies.
    names = [line.split()[0] for line in ANOMALIES.definitions]
    assert set(before["anomalies"]) < set(after["anomalies"]) == set(names)
    assert len(after["anomalies"]) == 4
    old = before["anomalies"].sort_values("event_time", ignore_index=True)
    pd.testing.assert_frame_equal(after["anomalies"][:3][[*old]], old)
    assert after["anomalies"]["changed_at"].isna().tolist() == [True, True, True, False]

    # Upkeep takes the former tables, and changes no row.
    assert {table.name for table in TABLES} <= set(upgraded.kept)
    for name, rows in tables(lake).items():
        pd.testing.assert_frame_equal(rows, after[name], check_exact=True)
    reader = LakeReader(lake)
    assert {reader.state(table).reader_version for table in TABLES} == {1}

    # Models that judged otherwise are left alone, and new ones are trained.
    store = ModelStore(LakeFiles(lake.models))
    assert len(LakeFiles(lake.models).folders()) == 1
    assert len(store.manifests()) == len(store.candidates()) == upgraded.judging
