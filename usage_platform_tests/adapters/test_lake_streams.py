"""The streams on the real broker and real Spark: what is on the topics ends up in the lake."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters import lake_streams
from usage_platform.adapters.anomaly_table import merge_anomalies
from usage_platform.adapters.kafka_topics import ANOMALY, USAGE
from usage_platform.adapters.lake_reader import LakeReader
from usage_platform.adapters.lake_streams import drain_anomalies, drain_usage
from usage_platform.adapters.lake_tables import (
    ANOMALIES,
    READINGS,
    REJECTS,
    TABLES,
    USAGE_HOURLY,
    Lake,
)
from usage_platform.adapters.rescoring import standing
from usage_platform.adapters.stream_progress import committed_offsets, ingestion_lag
from usage_platform.adapters.table_creation import create_tables
from usage_platform.core.anomalies import (
    ANOMALY_COLUMNS,
    NUMBERS,
    TOLD,
    WITHDRAWN,
    anomaly_messages,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.wire import usage_messages
from usage_platform_tests import oracle

REGISTRY = MeterRegistry(Meter("library"))
START = pd.Timestamp("2024-03-05T10:00:00Z")
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


def readings(first, count):
    times = pd.date_range(START, periods=first + count, freq="5min", unit="ns")[first:]
    return pd.DataFrame({"meter": "library", "ts": times, "value": range(first, first + count)})


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
        seen.offsets.append(committed_offsets(lake, USAGE))
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


def test_a_topic_that_lost_events_is_an_error_and_not_passed_over(
    streamed, fresh_topics, put, spark
):
    kafka = fresh_topics(partitions=2)
    put(kafka, [(0, message) for message in usage_messages(readings(72, 3))])
    with pytest.raises(Exception, match=r"(?i)offset"):
        drain_usage(spark, streamed.lake, REGISTRY, kafka, USAGE)


def anomalies(count):
    frame = pd.DataFrame(
        {
            "anomaly_id": [f"{n:016x}" for n in range(count)],
            "meter": "library",
            "event_time": pd.date_range(START, periods=count, freq="7h", unit="ns"),
            "usage": [float(n) / 3 for n in range(count)],
            # Every other one while nothing was known of what to expect.
            **{name: [0.1 if n % 2 else None for n in range(count)] for name in NUMBERS[1:]},
            "score": 1.7,
            "severity": "high",
            "kind": "spike",
            "direction": "above",
            "episode": "2024-03-05T10:00Z",
            "explanation": "why",
            "run": range(count),
            "model_version": "v1",
            "status": TOLD,
        }
    )
    return frame[ANOMALY_COLUMNS].astype(dict.fromkeys(NUMBERS, "float64") | {"run": "int64"})


def test_anomalies_come_into_the_lake_once_and_aborted_ones_never(kafka, put, spark, lake):
    from confluent_kafka import Producer

    create_tables(lake)
    messages = anomaly_messages(anomalies(10), REGISTRY)
    put(kafka, [*messages[:8], *messages[:3]], topic=ANOMALY)
    producer = Producer(kafka.client(**{"transactional.id": "aborts"}))
    producer.init_transactions(60)
    producer.begin_transaction()
    for message in messages[8:]:
        producer.produce(ANOMALY, message)
    producer.flush()
    producer.abort_transaction(60)
    first = drain_anomalies(spark, lake, kafka, ANOMALY)
    assert first.events == 11
    expected = anomalies(8)
    pd.testing.assert_frame_equal(tables_of(lake)["anomalies"][ANOMALY_COLUMNS], expected)

    shutil.rmtree(Path(lake.checkpoint(ANOMALY)))
    put(kafka, messages[9:], topic=ANOMALY)
    drain_anomalies(spark, lake, kafka, ANOMALY)
    told = tables_of(lake)["anomalies"]
    assert told["anomaly_id"].tolist() == [
        json.loads(m)["anomaly_id"] for m in (*messages[:8], messages[9])
    ]
    assert (told["event_date"] == told["event_time"].dt.date).all()


def test_an_update_changes_its_row_a_withdrawal_its_status_and_a_replay_nothing(
    kafka, put, spark, lake
):
    create_tables(lake)
    rows = anomalies(4)
    changed = rows[1:2].assign(usage=99.5, explanation="corrected", z=float("nan"), run=7)
    gone = rows[2:3].assign(status=WITHDRAWN)
    back = rows[3:4].assign(status=WITHDRAWN)
    put(kafka, anomaly_messages(rows, REGISTRY), topic=ANOMALY)
    drain_anomalies(spark, lake, kafka, ANOMALY)
    # What comes later in one batch counts more.
    for part in (changed, gone, back, rows[3:4]):
        put(kafka, anomaly_messages(part, REGISTRY), topic=ANOMALY)
    drain_anomalies(spark, lake, kafka, ANOMALY)
    expected = pd.concat([rows[:1], changed, gone, rows[3:]], ignore_index=True)
    there = tables_of(lake)["anomalies"]
    pd.testing.assert_frame_equal(there[ANOMALY_COLUMNS], expected)
    assert standing(LakeReader(lake))["anomaly_id"].nunique() == 3

    shutil.rmtree(Path(lake.checkpoint(ANOMALY)))
    drain_anomalies(spark, lake, kafka, ANOMALY)
    pd.testing.assert_frame_equal(tables_of(lake)["anomalies"], there)


def test_a_table_of_the_first_version_gets_the_columns_it_lacks_and_keeps_its_rows(
    spark, lake, write_table
):
    first_version = [
        "anomaly_id",
        "meter",
        "event_time",
        "usage",
        "expected_low",
        "expected_high",
        "score",
        "severity",
        "model_version",
    ]
    old = anomalies(3)[first_version]
    write_table(lake, ANOMALIES, old.assign(event_date=old["event_time"].dt.date))
    create_tables(lake)
    create_tables(lake)
    there = tables_of(lake)["anomalies"]
    names = [line.split()[0] for line in ANOMALIES.definitions]
    assert sorted(there.columns) == sorted(names)
    pd.testing.assert_frame_equal(there[first_version], old)
    assert there["status"].isna().all()
    assert LakeReader(lake).state(ANOMALIES).reader_version == 1

    # They stand like new ones, and can be withdrawn.
    stands = standing(LakeReader(lake))
    assert sorted(stands["anomaly_id"]) == sorted(old["anomaly_id"])
    new = anomalies(5)[3:]
    gone = stands[stands["anomaly_id"] == old["anomaly_id"][1]].assign(status=WITHDRAWN)
    merge_anomalies(spark, lake, pd.concat([new, gone], ignore_index=True))
    left = standing(LakeReader(lake)).sort_values("anomaly_id")["anomaly_id"]
    assert left.tolist() == [f"{n:016x}" for n in (0, 2, 3, 4)]
    merge_anomalies(spark, lake, stands.assign(status=WITHDRAWN))
    assert standing(LakeReader(lake))["anomaly_id"].nunique() == 2
