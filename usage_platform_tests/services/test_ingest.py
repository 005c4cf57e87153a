"""The streams on the real broker and real Spark: what is on the topics ends up in the lake."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import USAGE
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
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services import ingest as lake_streams
from usage_platform.services.ingest import drain_usage
from usage_platform.services.progress import ingestion_lag
from usage_platform.services.topic_progress import ingested_offsets
from usage_platform_tests import oracle
from usage_platform_tests.services.library_readings import REGISTRY, readings

# Each kind of bad event, and the reason it must get; `%d` makes the ten of a kind different.
BAD_KINDS = {
    "not_json": b'{"ts": "2024-03-05T10:00:00Z", "value": %d',
    "not_an_object": b"[%d]",
    "missing_field ts": b'{"value": %d}',
    "missing_field value": b'{"ts": "2024-03-05T10:00:00Z", "no": %d}',
    "wrong_type": b'{"ts": "2024-03-05T10:00:00Z", "value": "%d"}',
    "not_finite": b'{"ts": "2024-03-05T10:00:00Z", "value": NaN, "no": %d}',
    "negative": b'{"ts": "2024-03-05T10:00:00Z", "value": -%d.5}',
    "unreadable_time": b'{"ts": "2024-13-05T10:00:00Z", "value": %d}',
    "nonexistent_time": b'{"ts": "2024-03-10 02:30:00", "value": %d}',
    "future_time": b'{"ts": "2099-01-01T00:00:00Z", "value": %d}',
}
BAD = [payload % n for n in range(10) for payload in BAD_KINDS.values()]

pytestmark = [pytest.mark.kafka, pytest.mark.spark]


def tables_of(lake):
    reader = LakeReader(lake)
    keys = {
        READINGS: ["meter", "event_time"],
        USAGE_HOURLY: ["meter", "start"],
        REJECTS: ["partition", "offset"],
        ANOMALIES: ["anomaly_id"],
    }
    return {t.name: reader.rows(t).sort_values(keys[t], ignore_index=True) for t in TABLES}


@pytest.fixture(scope="module")
def streamed(fresh_topics, put, spark, tmp_path_factory):
    """Three runs: good and bad events, then more good ones, then all again without a checkpoint."""
    kafka = fresh_topics(partitions=2)
    lake = Lake(str(tmp_path_factory.mktemp("streamed")))
    create_tables(lake)
    seen = SimpleNamespace(kafka=kafka, lake=lake, runs=[], tables=[], offsets=[], lags=[])

    def run():
        seen.lags.append(ingestion_lag(lake, kafka, USAGE))
        seen.runs.append(drain_usage(spark, lake, REGISTRY, kafka, USAGE))
        seen.tables.append(tables_of(lake))
        seen.offsets.append(ingested_offsets(lake, kafka, USAGE))
        seen.lags.append(ingestion_lag(lake, kafka, USAGE))

    good = usage_messages(readings(0, 60))
    put(kafka, [(0, message) for message in [*good[:30], *BAD[:50], *good[30:]]])
    put(kafka, [(1, message) for message in BAD[50:]])
    run()
    put(kafka, [(1, message) for message in usage_messages(readings(60, 12))])
    run()
    shutil.rmtree(Path(lake.checkpoint(USAGE)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake_streams, "MAX_OFFSETS_PER_BATCH", 100)
        run()
    return seen


def test_a_hundred_malformed_events_of_ten_kinds_are_rejects_with_a_reason_each(streamed):
    rejects = streamed.tables[0]["rejects"]
    assert rejects["raw"].tolist() == BAD
    assert rejects["partition"].tolist() == [0] * 50 + [1] * 50
    assert rejects["reason"].tolist() == [kind.split()[0] for kind in BAD_KINDS] * 10
    assert rejects["detail"].str.len().gt(0).all()
    assert (rejects["topic"] == USAGE).all()


def test_every_event_is_a_reading_or_a_reject_and_the_stream_goes_on(streamed):
    for run, table, count in zip(streamed.runs, streamed.tables, (60, 72, 72), strict=True):
        assert table["readings"]["value"].tolist() == list(range(count))
        assert len(table["rejects"]) == 100
        assert run.batches
    assert [run.events for run in streamed.runs] == [160, 12, 172]


def test_the_hours_are_what_pandas_makes_of_the_readings(streamed):
    expected = oracle.hours_of(streamed.tables[-1]["readings"], {"library": 5})
    hours = streamed.tables[-1]["usage_hourly"]
    pd.testing.assert_frame_equal(hours[expected.columns], expected, check_exact=True)


def test_a_lost_checkpoint_and_other_batches_change_no_row(streamed):
    assert streamed.runs[2].batches == 2
    for name, rows in streamed.tables[2].items():
        pd.testing.assert_frame_equal(rows, streamed.tables[1][name], check_exact=True)


def test_the_offsets_read_from_the_checkpoint_are_those_that_spark_tells(streamed):
    told = [{int(p): end for p, end in run.offsets.items()} for run in streamed.runs]
    assert streamed.offsets == told
    assert told[1] == {0: 110, 1: 62}


def test_the_lag_is_what_no_finished_batch_holds(streamed):
    assert streamed.lags == [160, 0, 12, 0, 172, 0]


def test_a_run_with_nothing_to_do_reads_nothing(streamed, spark):
    kafka, lake = streamed.kafka, streamed.lake
    run = drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    assert (run.events, run.batches, run.offsets) == (0, 0, {})
