"""The checks against Kafka, as Dagster runs them; test_audit has the damage that they find."""

import dagster as dg
import pandas as pd
import pytest
from confluent_kafka import Producer

from usage_platform.adapters.kafka_topics import ANOMALY, USAGE
from usage_platform.adapters.lake_tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.hourly import hourly_from_readings
from usage_platform.core.wire import usage_messages
from usage_platform.defs import audit_checks
from usage_platform.defs.audit_checks import AuditConfig
from usage_platform_tests.defs.conftest import Platform

START = pd.Timestamp("2024-03-05T00:00:00Z")
METER = "central-library"


def told(result: dg.AssetCheckResult) -> dict:
    return {key: value.value for key, value in result.metadata.items()}


@pytest.mark.kafka
def test_an_audit_names_its_days_and_its_seed_which_draws_them_again(
    kafka, put, tmp_path, write_table
):
    platform = Platform(tmp_path, kafka_bootstrap=kafka.bootstrap, interval_minutes=60)
    lake, registry = platform.deployment.lake, platform.deployment.registry()
    times = pd.date_range(START, periods=24 * 9, freq="h", unit="ns")
    frame = pd.DataFrame({"meter": METER, "ts": times, "value": 1.0})
    put(kafka, usage_messages(frame))
    # As if they had been deleted and filled by hand: the rows name no event that exists.
    rows = frame.rename(columns={"ts": "event_time"})
    rows = rows.assign(kafka_time=START, partition=0, offset=10**6)
    write_table(lake, READINGS, rows.assign(event_date=rows["event_time"].dt.date))
    hours = hourly_from_readings(rows, registry)
    write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    none = dict.fromkeys(("topic", "reason", "detail", "meter"), "")
    reject = pd.DataFrame([{**none, "partition": 1, "offset": 0, "kafka_time": START, "raw": b""}])
    write_table(lake, REJECTS, reject.assign(received_date=START.date()))

    first = audit_checks.sampled_days_equal_kafka(AuditConfig(), platform)
    said = told(first)
    again = audit_checks.sampled_days_equal_kafka(AuditConfig(seed=said["seed"]), platform)
    assert told(again) == said
    assert len(said["days"].split(", ")) == 3
    assert not first.passed
    assert said["digest_of_kafka"] != said["digest_of_readings"]
    assert first.description.startswith("rows that are not what Kafka's events say: 72 in readings")


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("topic", "says"),
    [
        (ANOMALY, "find whose it is with 'kafka-transactions.sh --bootstrap-server ... find-hang"),
        (USAGE, "nothing from there on comes into the lake or is scored; it is another program's"),
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
    assert "no Kafka is known" in result.description
