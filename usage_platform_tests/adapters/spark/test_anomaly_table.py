"""The table `anomalies` on real Kafka and real Spark: each once, and what was said of it last."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY
from usage_platform.adapters.lake.anomaly_table import merge_rescored
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import ANOMALIES, REJECTS
from usage_platform.core.anomalies.anomaly import (
    ANOMALY_COLUMNS,
    NUMBERS,
    PUBLISHED,
    WITHDRAWN,
    anomaly_messages,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.ingest import drain_anomalies
from usage_platform.services.redrive import ALL_REASONS, chosen_rejects
from usage_platform.services.rescore import standing
from usage_platform_tests.stray_messages import STRAY

REGISTRY = MeterRegistry(Meter("library"))
START = pd.Timestamp("2024-03-05T10:00:00Z")

pytestmark = [pytest.mark.kafka, pytest.mark.spark]


def table_of(lake):
    return LakeReader(lake).rows(ANOMALIES).sort_values("anomaly_id", ignore_index=True)


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
            "status": PUBLISHED,
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
    pd.testing.assert_frame_equal(table_of(lake)[ANOMALY_COLUMNS], expected)

    shutil.rmtree(Path(lake.checkpoint(ANOMALY)))
    put(kafka, messages[9:], topic=ANOMALY)
    drain_anomalies(spark, lake, kafka, ANOMALY)
    told = table_of(lake)
    assert told["anomaly_id"].tolist() == [
        json.loads(m)["anomaly_id"] for m in (*messages[:8], messages[9])
    ]
    assert (told["event_date"] == told["event_time"].dt.date).all()


def test_stray_messages_are_rejects_with_place_size_and_first_bytes(kafka, put, spark, lake):
    create_tables(lake)
    put(kafka, [b"x" * 900_000, *anomaly_messages(anomalies(2), REGISTRY), *STRAY], topic=ANOMALY)
    for _ in range(2):
        assert drain_anomalies(spark, lake, kafka, ANOMALY).events in {len(STRAY) + 3, 0}
        pd.testing.assert_frame_equal(table_of(lake)[ANOMALY_COLUMNS], anomalies(2))
        rejects = LakeReader(lake).rows(REJECTS).sort_values("offset", ignore_index=True)
        assert rejects["offset"].tolist() == [0, *range(3, len(STRAY) + 3)]
        assert set(zip(rejects["topic"], rejects["reason"], strict=True)) == {
            (ANOMALY, "not_an_anomaly")
        }
        assert rejects.loc[0, "detail"] == "900,000 bytes: not a message of the platform"
        assert rejects["raw"].str.len().max() == 1000
        shutil.rmtree(Path(lake.checkpoint(ANOMALY)))
    assert chosen_rejects(LakeReader(lake), ALL_REASONS, None, None).empty


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
    there = table_of(lake)
    pd.testing.assert_frame_equal(there[ANOMALY_COLUMNS], expected)
    assert standing(LakeReader(lake))["anomaly_id"].nunique() == 3

    shutil.rmtree(Path(lake.checkpoint(ANOMALY)))
    drain_anomalies(spark, lake, kafka, ANOMALY)
    pd.testing.assert_frame_equal(table_of(lake), there)


def test_a_topic_that_is_read_again_does_not_undo_what_a_backfill_found(kafka, put, spark, lake):
    create_tables(lake)
    rows = anomalies(5)
    put(kafka, anomaly_messages(rows[:4], REGISTRY), topic=ANOMALY)
    drain_anomalies(spark, lake, kafka, ANOMALY)
    told = table_of(lake)
    found = pd.concat([rows[:1], rows[2:3].assign(status=WITHDRAWN), rows[4:]], ignore_index=True)
    merge_rescored(lake, found, pd.Timestamp.now(tz="UTC"))
    there = table_of(lake)
    assert sorted(standing(LakeReader(lake))["anomaly_id"]) == [f"{n:016x}" for n in (0, 1, 3, 4)]
    # Nothing new was found of the first; of the third there was.
    pd.testing.assert_series_equal(there.loc[0], told.loc[0])
    assert there["rev"].tolist() == [0, 0, 1, 0, 0]
    assert there["found_at"][2] == told["found_at"][2]
    assert there["changed_at"][2] > told["changed_at"][2]

    shutil.rmtree(Path(lake.checkpoint(ANOMALY)))
    drain_anomalies(spark, lake, kafka, ANOMALY)
    pd.testing.assert_frame_equal(table_of(lake), there)

    # What the scorer says after the backfill counts again.
    put(kafka, anomaly_messages(rows[2:3], REGISTRY), topic=ANOMALY)
    drain_anomalies(spark, lake, kafka, ANOMALY)
    assert len(standing(LakeReader(lake))) == 5


@pytest.mark.parametrize("drains", [1, 2])
def test_what_was_said_last_counts_on_whichever_partition(fresh_topics, put, spark, lake, drains):
    """A topic that gets another partition puts a meter's messages elsewhere from then on."""
    kafka = fresh_topics(2)
    create_tables(lake)
    row = anomalies(1)
    for partition, said in ((1, row), (0, row.assign(status=WITHDRAWN))):
        put(kafka, [(partition, *anomaly_messages(said, REGISTRY))], topic=ANOMALY)
        if drains == 2:
            drain_anomalies(spark, lake, kafka, ANOMALY)
    drain_anomalies(spark, lake, kafka, ANOMALY)
    there = table_of(lake)
    assert there["status"].tolist() == [WITHDRAWN]
    assert there["rev"].tolist() == [drains - 1]
    assert (there["found_at"] < there["changed_at"]).all()


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
    there = table_of(lake)
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
    now = pd.Timestamp.now(tz="UTC")
    merge_rescored(lake, pd.concat([new, gone], ignore_index=True), now)
    left = standing(LakeReader(lake)).sort_values("anomaly_id")["anomaly_id"]
    assert left.tolist() == [f"{n:016x}" for n in (0, 2, 3, 4)]
    merge_rescored(lake, stands.assign(status=WITHDRAWN), now)
    assert standing(LakeReader(lake))["anomaly_id"].nunique() == 2
