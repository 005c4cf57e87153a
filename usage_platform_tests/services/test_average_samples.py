"""Readings from samples: each published once, whatever is killed, and no sample is lost."""

import json
from contextlib import closing, suppress

import pandas as pd
import pytest
from confluent_kafka import Producer

from usage_platform.adapters.kafka.topics import SAMPLE_REJECTS, SAMPLES, USAGE
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.measurement import Quantity, Unit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services import average_samples, score_fencing
from usage_platform.services.average_samples import AveragerFencedError, SampleAverager
from usage_platform.services.offset_marks import OtherLakeError
from usage_platform_tests.core.samples.oracle import describe, expected_readings, message
from usage_platform_tests.services.killed_producer import PLACES, KilledError, killed_at
from usage_platform_tests.topics import recreate_topic, renew_sample_topics

pytestmark = pytest.mark.kafka

METERS = {
    "plug": describe(Quantity.REGISTER, Unit.KWH),
    "clamp": describe(Quantity.POWER, Unit.W, gap=60),
}
REGISTRY = MeterRegistry(known={name: Meter(name, "Asia/Kathmandu", 15) for name in METERS})
# The broker's clock decides on what is of the future or delayed.
BEGIN = pd.Timestamp.now(tz="UTC").floor("h") - pd.Timedelta(hours=6)
END = BEGIN + pd.Timedelta(hours=5)
LOOK = END + pd.Timedelta(minutes=2)


def sent(minutes, begin=BEGIN):
    """Samples of both meters, by meter: every 100 seconds, and on change."""
    plug = [
        (begin + pd.Timedelta(seconds=100 * n), 50 + 0.05 * n + 0.01 * (n % 7))
        for n in range(minutes * 60 // 100)
    ]
    clamp = [
        (begin + pd.Timedelta(seconds=430 * n), 100.0 * (n % 5)) for n in range(minutes * 60 // 430)
    ]
    return {"plug": plug, "clamp": clamp}


def values_of(samples):
    """Messages as devices send them, in the order of their times, with their keys."""
    rows = sorted((time, name, value) for name, own in samples.items() for time, value in own)
    return [message(name, time, value)[:2] for time, name, value in rows]


@pytest.fixture
def topics(kafka):
    renew_sample_topics(kafka)
    return kafka


@pytest.fixture
def make(lake):
    """Averagers whose clock stands still after all samples; closed after the test."""
    made = []

    def averager(kafka, now=LOOK, lake=lake):
        made.append(SampleAverager(kafka, lake, lambda: now.timestamp()))
        return made[-1]

    yield averager
    for one in made:
        one.close()


def put_samples(kafka, messages):
    producer = Producer(kafka.client(**{"enable.idempotence": True}))
    for key, value in messages:
        producer.produce(SAMPLES, value, key)
    assert producer.flush(60) == 0


def tick(averager, seconds=30.0):
    return averager.tick(METERS, REGISTRY, seconds)


def published(read_all, kafka):
    """All events on `usage`, in their order."""
    events = [json.loads(m.value()) for m in read_all(kafka, USAGE)]
    return [(e["meter"], pd.Timestamp(e["ts"]), e["value"]) for e in events]


def assert_published_once(read_all, kafka, samples):
    events = published(read_all, kafka)
    expected = {}
    for name, own in samples.items():
        expected |= expected_readings(own, REGISTRY.get(name), METERS[name])
    # Of the newest intervals some are not over at the averager's clock.
    limit = END + pd.Timedelta(minutes=1)
    due = {k: v for k, v in expected.items() if k[1] + pd.Timedelta(minutes=15) <= limit}
    assert due.keys() <= {(meter, ts) for meter, ts, _ in events} <= expected.keys()
    assert len(events) == len({(meter, ts) for meter, ts, _ in events})
    for meter, ts, value in events:
        assert value == pytest.approx(expected[meter, ts], rel=1e-9, abs=1e-9)


def test_each_interval_is_published_once_with_its_meter_as_key(topics, read_all, make):
    samples = sent(300)
    put_samples(topics, values_of(samples))
    result = tick(make(topics))
    assert_published_once(read_all, topics, samples)
    events = read_all(topics, USAGE)
    assert {m.key() for m in events} == {b"plug", b"clamp"}
    assert (result.messages, result.readings) == (len(values_of(samples)), len(events))
    assert result.is_caught_up
    assert not result.rejected
    assert tick(make(topics)).readings == 0


@pytest.mark.parametrize("batch", [11, 60])
def test_restarts_after_each_batch_change_nothing(topics, read_all, make, monkeypatch, batch):
    monkeypatch.setattr(average_samples, "_BATCH", batch)
    samples = sent(300)
    put_samples(topics, values_of(samples))
    is_caught_up = False
    while not is_caught_up:
        with closing(make(topics)) as averager:
            result = tick(averager, 0)
        assert result.messages <= batch
        is_caught_up = result.is_caught_up
    assert_published_once(read_all, topics, samples)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_killed_in_a_transaction_is_neither_lost_nor_doubled(
    topics, read_all, make, monkeypatch, place
):
    samples = sent(300)
    messages = values_of(samples)
    put_samples(topics, messages[:100])
    tick(make(topics, BEGIN))
    put_samples(topics, messages[100:])
    with monkeypatch.context() as patch:
        patch.setattr(score_fencing, "Producer", killed_at(place))
        dying = make(topics, BEGIN)
        with pytest.raises(KilledError):
            tick(dying)
    tick(make(topics))
    assert_published_once(read_all, topics, samples)


def test_of_two_averagers_the_older_one_can_commit_nothing_more_and_says_so(topics, read_all, make):
    samples = sent(300)
    messages = values_of(samples)
    put_samples(topics, messages[:100])
    older = make(topics, BEGIN)
    tick(older)
    newer = make(topics)
    put_samples(topics, messages[100:])
    with pytest.raises(AveragerFencedError, match=r"^another process averages[^\n]+$"):
        tick(older)
    tick(newer)
    assert_published_once(read_all, topics, samples)


def test_a_late_sample_corrects_its_reading_after_a_restart_too(topics, read_all, make):
    samples = sent(300)
    put_samples(topics, values_of(samples))
    tick(make(topics))
    before = len(published(read_all, topics))
    at = END - pd.Timedelta(minutes=40)
    late = {**samples, "clamp": [*samples["clamp"], (at, 5000.0)]}
    put_samples(topics, [message("clamp", at, 5000.0)[:2]])
    assert tick(make(topics)).readings > 0
    events = published(read_all, topics)
    assert {meter for meter, _, _ in events[before:]} == {"clamp"}
    expected = expected_readings(late["clamp"], REGISTRY.get("clamp"), METERS["clamp"])
    for meter, ts, value in events[before:]:
        assert value == pytest.approx(expected[meter, ts])


def test_what_is_no_sample_is_counted_and_goes_to_a_topic_with_place_and_reason(
    topics, read_all, make
):
    stranger = message("stranger", BEGIN, 1.0)[:2]
    put_samples(topics, [(b"plug", b"{"), stranger, (b"plug", b"[" * 5000), (b"plug", None)])
    result = tick(make(topics))
    assert result.rejected == {
        "not_json": 1,
        "not_described": 1,
        "message_too_large": 1,
        "empty": 1,
    }
    assert result.examples[0].startswith("samples partition 0 offset 0: not_json: expected")
    rejects = read_all(topics, SAMPLE_REJECTS)
    assert [m.value() for m in rejects] == [b"{", stranger[1], b"[" * 1000, None]
    assert dict(rejects[1].headers())["place"] == b"samples partition 0 offset 1"
    assert dict(rejects[1].headers())["reason"].startswith(b"not_described: ")
    assert tick(make(topics)).messages == 0


def test_a_topic_that_is_created_again_begins_again(topics, read_all, make):
    averager = make(topics)
    put_samples(topics, values_of(sent(60)))
    tick(averager)
    recreate_topic(topics, SAMPLES)
    recreate_topic(topics, USAGE)
    samples = sent(300)
    put_samples(topics, values_of(samples))
    with suppress(Exception):
        tick(averager)
    tick(make(topics))
    assert_published_once(read_all, topics, samples)


def test_samples_are_averaged_for_one_lake_only(topics, make, tmp_path):
    put_samples(topics, values_of(sent(60)))
    tick(make(topics))
    with pytest.raises(OtherLakeError, match="the events of samples"):
        make(topics, lake=Lake(str(tmp_path / "other")))
