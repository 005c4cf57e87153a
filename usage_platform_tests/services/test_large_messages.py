"""A message of any size stops no reader: a few kilobytes on the wire may be hundreds of megabytes.

The broker refuses these at the platform's topics. Those that are on a topic from a time before are
read where a client can: 200 MB compressed with zstd are more than librdkafka decompresses, with
gzip or lz4 it does.
"""

from collections import Counter
from contextlib import closing

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

from usage_platform.adapters.kafka.tail import TopicTail
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    DEAD_LETTERS,
    EPISODE,
    USAGE,
    administration,
    ensure_topics,
)
from usage_platform.adapters.kafka.watch import BEGINNING, values_since
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, REJECTS
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.readings.messages import usage_messages
from usage_platform.core.readings.reject_reasons import KEPT_BYTES
from usage_platform.services.ingest import drain_usage
from usage_platform.services.progress import lag_of_scoring
from usage_platform.services.redrive import ALL_REASONS, chosen_rejects
from usage_platform.services.score import Scorer
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.services.library_readings import REGISTRY, readings
from usage_platform_tests.topics import until

BOMB_BYTES = 200_000_000
"""Made where it is needed: each process of the tests reads this file."""
# Some twenty times what a topic takes.
REFUSED = b"x" * 20_000_000
# As much as a broker takes; with what is around it, more than a client sends by default.
LARGEST = b"x" * 1_000_100

pytestmark = pytest.mark.kafka


def produce(kafka, codec, value, key=b"library", topic=USAGE, times=1):
    """Produce a message as whoever wants to; returns the broker's error or None."""
    errors = []
    producer = Producer(
        kafka.client(**{"compression.type": codec, "message.max.bytes": 1_000_000_000})
    )
    for _ in range(times):
        producer.produce(topic, value, key, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(120) == 0
    return errors[0]


def set_topic(kafka, **config):
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    change = ConfigResource(ConfigResource.Type.TOPIC, USAGE, incremental_configs=entries)
    with administration(kafka) as admin:
        for done in admin.incremental_alter_configs([change]).values():
            done.result(timeout=60)


@pytest.mark.parametrize("codec", ["zstd", "gzip", "lz4", "snappy"])
def test_the_broker_refuses_what_is_too_large_without_its_compression(kafka, codec):
    for topic in (USAGE, ANOMALY, EPISODE, DEAD_LETTERS):
        refused = produce(kafka, codec, REFUSED, topic=topic)
        assert refused.code() == KafkaError.MSG_SIZE_TOO_LARGE
        assert produce(kafka, codec, b"x" * 1000, topic=topic) is None


def test_a_topic_that_another_program_created_gets_the_settings_that_the_platform_relies_on(kafka):
    set_topic(kafka, compression_type="producer", message_timestamp_type="CreateTime")
    assert produce(kafka, "zstd", b"x" * BOMB_BYTES) is None
    ensure_topics(kafka)
    assert produce(kafka, "zstd", b"x" * BOMB_BYTES).code() == KafkaError.MSG_SIZE_TOO_LARGE
    with administration(kafka) as admin:
        asked = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, USAGE)])
        (found,) = (future.result(timeout=60) for future in asked.values())
    assert found["message.timestamp.type"].value == "LogAppendTime"


@pytest.fixture
def large(kafka, put):
    """Readings, and among them messages as large as the broker takes."""
    put(kafka, usage_messages(readings(0, 3)))
    assert produce(kafka, "none", LARGEST, times=100) is None
    assert produce(kafka, "none", b"x", key=b"k" * 1_000_000) is None
    put(kafka, usage_messages(readings(3, 3)))
    return kafka


@pytest.fixture
def hostile(kafka, put):
    """Readings, and among them messages from a time before the broker refused them."""
    set_topic(kafka, compression_type="producer")
    put(kafka, usage_messages(readings(0, 3)))
    for codec in ("zstd", "gzip", "lz4", "zstd"):
        assert produce(kafka, codec, b"x" * BOMB_BYTES) is None
    put(kafka, usage_messages(readings(3, 3)))
    return kafka


@pytest.mark.parametrize("kind", ["large", "hostile"])
def test_the_scorer_takes_all_readings_and_copies_the_first_bytes_of_rejects(
    kind, lake, read_all, request
):
    kafka = request.getfixturevalue(kind)
    with closing(Scorer(kafka, LakeReader(lake))) as scorer:
        done = scorer.tick(
            TickRequest(ModelTimeline([], lambda _: pytest.fail("no model")), REGISTRY, 120)
        )
    assert (done.learning, done.lag) == (6, 0)
    letters = Counter(len(message.value()) for message in read_all(kafka, DEAD_LETTERS))
    assert letters == ({1: 1, KEPT_BYTES: 100} if kind == "large" else {KEPT_BYTES: 2})
    assert lag_of_scoring(kafka, REGISTRY).events == 0


def test_who_follows_the_topic_goes_on(hostile):
    values = [v for turn in values_since(hostile, USAGE, BEGINNING, False, print) for v in turn]
    assert values[:3] + values[-3:] == usage_messages(readings(0, 6))
    seen, states = [], []
    tail = TopicTail(lambda: hostile, (USAGE,), 100, seen.extend, states.append)
    tail.start()
    try:
        until(lambda: seen and seen[-1].value() == values[-1])
    finally:
        tail.stop()
    assert states == [""]


@pytest.mark.spark
def test_the_micro_batch_takes_all_readings_and_keeps_the_first_bytes_of_rejects(
    large, lake, spark
):
    create_tables(lake)
    drain_usage(spark, lake, REGISTRY, large, USAGE)
    reader = LakeReader(lake)
    assert sorted(reader.rows(READINGS)["value"]) == [0, 1, 2, 3, 4, 5]
    rejects = reader.rows(REJECTS)
    assert (rejects["reason"] == "message_too_large").sum() == 100
    assert rejects["raw"].str.len().max() == KEPT_BYTES
    assert chosen_rejects(reader, ALL_REASONS, None, None)["value"].tolist() == [b"x"]
