"""Secured brokers: the platform's own clients, and Spark's, against a real one."""

import base64
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from py4j.java_gateway import GatewayParameters, JavaGateway, JVMView, launch_gateway
from py4j.protocol import Py4JJavaError

from usage_platform.adapters.kafka.security import Iam, Scram, msk_region, msk_token
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    DEAD_LETTERS,
    EPISODE,
    USAGE,
    KafkaSettings,
    KafkaUnreachableError,
    end_offsets,
    ensure_topics,
)
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace
from usage_platform.local.jars import ensure_jars, pyspark_home
from usage_platform.local.java import JavaHome
from usage_platform.services.ingest import drain_usage
from usage_platform.services.play import play
from usage_platform.services.score import Scorer
from usage_platform_tests.conftest import DATA_DIR
from usage_platform_tests.secured_broker import SecuredBroker, secured_broker, unsigned_token
from usage_platform_tests.topics import read_events

pytestmark = pytest.mark.aws

REGISTRY = MeterRegistry(Meter("library"))
SECRET = "0nly-the-signer-kn0ws"


@pytest.fixture(scope="module")
def broker(java, jar_folders, unused_port, tmp_path_factory):
    folder = tmp_path_factory.mktemp("secured")
    with secured_broker(java, jar_folders, folder, unused_port) as running:
        yield running


def with_password(broker: SecuredBroker, password: str) -> KafkaSettings:
    return KafkaSettings(broker.scram, security=Scram(broker.user, password, broker.ca))


def with_token(broker: SecuredBroker, asked: list[str]) -> KafkaSettings:
    def token_of(region: str) -> tuple[str, float]:
        asked.append(region)
        return unsigned_token(lifetime_seconds=2)

    return KafkaSettings(broker.oauth, security=Iam("us-east-1", token_of, broker.ca))


def three_readings() -> pd.DataFrame:
    times = pd.date_range("2024-03-05T10:00Z", periods=3, freq="5min")
    return pd.DataFrame({"meter": "library", "ts": times, "value": [480.0, 487.2, 494.4]})


@pytest.mark.kafka
@pytest.mark.spark
def test_spark_and_the_platforms_clients_reach_brokers_that_ask_for_a_password(broker, spark, lake):
    kafka = with_password(broker, broker.password)
    ensure_topics(kafka)
    play(kafka, three_readings(), "test", Pace(accelerator=AS_FAST_AS_POSSIBLE), lambda _: None)
    create_tables(lake)
    drained = drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    assert drained.events == 3
    assert LakeReader(lake).rows(READINGS)["value"].sort_values().tolist() == [480.0, 487.2, 494.4]


@pytest.mark.kafka
def test_clients_show_tokens_and_new_ones_before_those_run_out(broker, lake):
    asked: list[str] = []
    kafka = with_token(broker, asked)
    ensure_topics(kafka, [ANOMALY, EPISODE, DEAD_LETTERS, USAGE])
    scorer = Scorer(kafka, LakeReader(lake))
    try:
        ends = sum(end for _, end in end_offsets(kafka, USAGE).values())
        before = len(asked)
        pace = Pace(accelerator=300)
        play(kafka, three_readings(), "test", pace, lambda _: None)
        assert sum(end for _, end in end_offsets(kafka, USAGE).values()) == ends + 3
        assert len(read_events(kafka)) == ends + 3
        assert len(asked) > before + 3
    finally:
        scorer.close()
    assert set(asked) == {"us-east-1"}


@pytest.mark.kafka
def test_a_wrong_password_is_told_in_one_line_without_it(broker):
    with pytest.raises(KafkaUnreachableError) as caught:
        ensure_topics(with_password(broker, "guessed-it"))
    said = str(caught.value)
    assert "USAGE_KAFKA_SECURITY" in said
    assert "guessed-it" not in said
    assert "\n" not in said


@contextmanager
def sparks_classes(java: JavaHome) -> Iterator[JVMView]:
    """The classes that Spark has on AWS, in a JVM without Spark itself."""
    sets = ensure_jars(DATA_DIR / "jars", java, os.environ, print, lambda _: None, for_aws=True)
    folders = [*sets.spark, pyspark_home() / "jars"]
    (py4j,) = folders[-1].glob("py4j-*.jar")
    port, process = launch_gateway(
        jarpath=str(py4j),
        classpath=":".join(f"{folder}/*" for folder in folders),
        java_path=str(java.java),
        return_proc=True,
    )
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port))
    try:
        yield gateway.jvm
    finally:
        gateway.shutdown()
        process.kill()
        process.wait()


@pytest.mark.kafka
def test_sparks_client_has_all_that_it_needs_to_show_amazon_msk_its_identity(
    broker, java, monkeypatch
):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    told = Iam("us-east-1", msk_token, broker.ca).java()
    with sparks_classes(java) as jvm:
        settings = jvm.java.util.Properties()
        for name, value in {**told, "bootstrap.servers": broker.oauth}.items():
            settings.setProperty(name, value)
        admin = jvm.org.apache.kafka.clients.admin.Admin.create(settings)
        # This broker knows tokens only: the client came as far as to say what it would like to do.
        with pytest.raises(Py4JJavaError, match=r"'AWS_MSK_IAM' not enabled in the server"):
            admin.describeCluster().nodes().get()
        admin.close()
        iam = jvm.software.amazon.msk.auth.iam
        handler = iam.IAMClientCallbackHandler()
        util = jvm.java.util
        handler.configure(util.HashMap(), "AWS_MSK_IAM", util.ArrayList())
        host = "b-1.usage.abc123.c2.kafka.us-east-1.amazonaws.com"
        signer = iam.internals.AWS4SignedPayloadGenerator()
        client = iam.internals.IAMSaslClient("AWS_MSK_IAM", handler, host, signer)
        said = json.loads(bytes(client.evaluateChallenge(b"")))
    assert (said["host"], said["action"]) == (host, "kafka-cluster:Connect")
    assert "AKIDEXAMPLE" in said["x-amz-credential"]
    assert "/us-east-1/kafka-cluster/" in said["x-amz-credential"]


def test_a_token_for_amazon_msk_is_a_signed_request_to_connect(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    token, expires = msk_token("eu-south-1")
    url = urlsplit(base64.urlsafe_b64decode(token + "==").decode())
    query = parse_qs(url.query)
    assert url.hostname == "kafka.eu-south-1.amazonaws.com"
    assert query["Action"] == ["kafka-cluster:Connect"]
    assert query["X-Amz-Credential"][0].startswith("AKIDEXAMPLE/")
    assert SECRET not in url.geturl()
    assert expires > time.time()


@pytest.mark.parametrize(
    ("bootstrap", "region"),
    [
        ("b-1.usage.abc123.c2.kafka.us-east-1.amazonaws.com:9098", "us-east-1"),
        ("boot-abc.c3.kafka-serverless.eu-central-1.amazonaws.com:9098", "eu-central-1"),
        ("127.0.0.1:9092", ""),
    ],
)
def test_the_names_of_brokers_tell_their_region(bootstrap, region):
    assert msk_region(bootstrap) == region


def test_what_a_password_holds_cannot_leave_its_quotes():
    java = Scram("ann", 'a"; other="b\\').java()
    assert r'password="a\"; other=\"b\\";' in java["sasl.jaas.config"]
