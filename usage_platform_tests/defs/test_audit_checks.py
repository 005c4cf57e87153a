"""The checks against Kafka, as Dagster runs them; test_audit has the damage that they find."""

import dagster as dg
import pandas as pd
import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.messages import usage_messages
from usage_platform.defs import audit_checks
from usage_platform.defs.audit_checks import AuditConfig
from usage_platform_tests.defs.conftest import Platform

START = pd.Timestamp("2024-03-05T00:00:00Z")
STRAY = pd.Timestamp("1971-01-01T00:00:00Z")
METER = "central-library"


def told(result: dg.AssetCheckResult) -> dict:
    return {key: value.value for key, value in result.metadata.items()}


@pytest.fixture
def filled(kafka, put, tmp_path, write_table):
    """Nine days of hourly readings on the topic, and tables that name events of other offsets.

    As if they had been deleted and filled by hand; one stray reading is of 1971.
    """
    platform = Platform(tmp_path, kafka_bootstrap=kafka.bootstrap, interval_minutes=60)

    def fill(first_offset):
        lake, registry = platform.deployment.lake, platform.deployment.registry()
        times = pd.date_range(START, periods=24 * 9, freq="h", unit="ns")
        frame = pd.DataFrame({"meter": METER, "ts": [STRAY, *times], "value": 1.0})
        put(kafka, usage_messages(frame))
        rows = frame.rename(columns={"ts": "event_time"})
        rows = rows.assign(kafka_time=START, partition=0, offset=first_offset + rows.index)
        write_table(lake, READINGS, rows.assign(event_date=rows["event_time"].dt.date))
        hours = hourly_from_readings(rows, registry)
        write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
        none = dict.fromkeys(("topic", "reason", "detail", "meter"), "")
        reject = {**none, "partition": 1, "offset": 0, "kafka_time": START, "raw": b""}
        write_table(lake, REJECTS, pd.DataFrame([{**reject, "received_date": START.date()}]))
        return platform

    return fill


@pytest.mark.kafka
def test_an_audit_names_its_days_and_its_seed_which_draws_them_again(filled):
    platform = filled(first_offset=10**6)
    first = audit_checks.sampled_days_equal_kafka(AuditConfig(), platform)
    said = told(first)
    again = audit_checks.sampled_days_equal_kafka(AuditConfig(seed=said["seed"]), platform)
    assert told(again) == said
    assert (len(said["days"].split(", ")), said["days_available"]) == (3, 10)
    assert not first.passed
    assert first.severity == dg.AssetCheckSeverity.ERROR
    assert said["digest_of_kafka"] != said["digest_of_readings"]
    assert first.description.startswith("rows that differ from Kafka's events: ")


@pytest.mark.kafka
def test_a_stray_reading_of_long_ago_leaves_no_draw_without_rows(filled):
    platform = filled(first_offset=10**6)
    days = [audit_checks.sampled_days_equal_kafka(AuditConfig(seed=n), platform) for n in range(5)]
    # Two days or three are of 24 readings, each of which names no event that exists.
    assert all(told(one)["rows_wrong"] >= 2 * 24 for one in days)


@pytest.mark.kafka
def test_an_audit_that_compared_nothing_does_not_pass_and_says_so(filled, kafka):
    platform = filled(first_offset=0)
    end = TopicPartition(USAGE, 0, OFFSET_END)
    with AdminClient(kafka.client()) as admin:
        admin.delete_records([end])[end].result(30)
    result = audit_checks.sampled_days_equal_kafka(AuditConfig(days=10), platform)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert told(result)["rows_compared"] == 0
    assert result.description.startswith(
        "nothing compared: of these days' readings the topic usage no longer holds 217, and 0 lie"
    )


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("topic", "says"),
    [
        (ANOMALY, "find whose it is with 'kafka-transactions.sh --bootstrap-server ... find-hang"),
        (USAGE, "nothing after it is ingested or scored; it is another program's"),
    ],
)
def test_a_transaction_that_outlives_its_limit_fails_and_says_what_to_do(
    kafka, tmp_path, monkeypatch, topic, says
):
    platform = Platform(tmp_path, kafka_bootstrap=kafka.bootstrap)
    producer = Producer(kafka.client(**{"transactional.id": "hangs"}))
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(topic, b"{}")
    producer.flush(30)
    young = audit_checks.no_transaction_hangs(platform)
    assert (young.passed, told(young)["open"], told(young)["hanging"]) == (True, 1, 0)
    monkeypatch.setattr(audit_checks, "HANGS_AFTER", pd.Timedelta(0))
    old = audit_checks.no_transaction_hangs(platform)
    assert not old.passed
    assert old.severity == dg.AssetCheckSeverity.ERROR
    assert old.description.startswith(f"{topic} partition 0: offsets 0 to 0 wait for a transaction")
    assert says in old.description
    assert f"abort --topic {topic} --partition 0 --start-offset 0" in old.description
    producer.abort_transaction(30)
    assert audit_checks.no_transaction_hangs(platform).passed


def test_without_a_broker_nothing_is_known_and_that_is_a_warning(tmp_path):
    result = audit_checks.no_transaction_hangs(Platform(tmp_path, kafka_bootstrap=""))
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "no Kafka broker is configured" in result.description


def test_an_audit_before_there_is_a_row_has_nothing_to_look_at(tmp_path):
    platform = Platform(tmp_path, kafka_bootstrap="")
    result = audit_checks.sampled_days_equal_kafka(AuditConfig(), platform)
    assert (result.passed, result.description) == (True, "no readings, hours or rejects yet")
