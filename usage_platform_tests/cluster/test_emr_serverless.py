"""Work on EMR Serverless: the real script on Spark 4.0 leaves what the oracle says, by Pipes."""

import dagster as dg
import pandas as pd
import pytest
from deltalake import DeltaTable

from usage_platform.adapters.lake_reader import LakeReader
from usage_platform.adapters.lake_tables import READINGS, REJECTS, TABLES, USAGE_HOURLY, Lake
from usage_platform.defs.lake_assets import streams_into_lake, usage_hourly
from usage_platform_tests import oracle

pytestmark = [pytest.mark.aws, pytest.mark.kafka]

DAYS = 35
START = pd.Timestamp("2024-02-20T00:00:00Z")
BAD = b'{"ts": "2024-03-05T10:00:00Z"}'
MINUTES = {"library": 60}


def failure(result) -> str:
    assert not result.success
    [event] = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE]
    error = event.step_failure_data.error
    assert "\n" not in event.step_failure_data.user_failure_data.description, error
    return event.step_failure_data.user_failure_data.description


def told(result, name) -> dict:
    [event] = [
        e
        for e in result.asset_materializations_for_node(result.job_def.nodes[0].name)
        if e.asset_key == dg.AssetKey(name)
    ]
    return {key: value.value for key, value in event.metadata.items()}


@pytest.fixture(scope="module")
def events():
    """Five weeks of hourly readings, of which some come twice."""
    times = pd.date_range(START, periods=24 * DAYS, freq="h", unit="ns")
    values = [100.0 + 50 * (9 <= ts.hour < 18) + ts.dayofyear % 3 for ts in times]
    return [oracle.event("library", ts, value) for ts, value in zip(times, values, strict=True)]


@pytest.fixture(scope="module")
def drained(emr, fresh_topics, put, events):
    """The topic's events brought into the lake by a job."""
    kafka = fresh_topics()
    put(kafka, [*(e.payload for e in events), BAD])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USAGE_KAFKA_BOOTSTRAP", kafka.bootstrap)
        patch.setenv("USAGE_INTERVAL_MINUTES", "60")
        yield emr.materialize(streams_into_lake)


def test_the_topics_events_are_in_the_lake_by_a_job_with_a_checkpoint_of_its_own(
    emr, drained, events
):
    assert drained.success, failure(drained)
    assert told(drained, "readings")["events"] == len(events) + 1
    lake = Lake(emr.settings["USAGE_LAKE"])
    there = oracle.rows_in(lake, READINGS)
    assert there["value"].tolist() == [e.reading[2] for e in events]
    hours = oracle.hours_of(there, MINUTES)
    oracle.assert_table(lake, USAGE_HOURLY, hours)
    assert LakeReader(lake).rows(REJECTS)["raw"].tolist() == [BAD]
    assert {LakeReader(lake).state(table).reader_version for table in TABLES} == {1}


def test_days_recomputed_by_a_job_are_what_the_oracle_says(emr, drained):
    lake = Lake(emr.settings["USAGE_LAKE"])
    whole = oracle.rows_in(lake, USAGE_HOURLY)
    DeltaTable(lake.table(USAGE_HOURLY)).delete("n = 1 AND min_usage > 120")
    assert len(oracle.rows_in(lake, USAGE_HOURLY)) < len(whole)
    first, last = START.date(), whole["start"].max().date()
    days = dg.PartitionKeyRange(first.isoformat(), last.isoformat())
    tags = {
        "dagster/asset_partition_range_start": days.start,
        "dagster/asset_partition_range_end": days.end,
    }
    result = emr.materialize(usage_hourly, tags=tags)
    assert result.success, failure(result)
    oracle.assert_table(
        lake, USAGE_HOURLY, oracle.hours_of(oracle.rows_in(lake, READINGS), MINUTES)
    )
