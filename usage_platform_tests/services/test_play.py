"""Playback: whatever happens to it, the topic holds the source, each reading once and in order."""

import time

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.kafka.playback_position import played_since
from usage_platform.adapters.kafka.topics import (
    USAGE,
    KafkaUnreachableError,
    end_offsets,
    ensure_topics,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import parse_usage
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace, remaining
from usage_platform.services.play import PlaybackError, play

REGISTRY = MeterRegistry(Meter("a"))
FAST = Pace(accelerator=AS_FAST_AS_POSSIBLE)
METERS = ("a", "b", "c", "d", "e")
START = pd.Timestamp("2024-03-05T13:00:00Z")
FOREVER = 120.0

pytestmark = pytest.mark.kafka


def source(steps, meters=METERS):
    times = pd.date_range(START, periods=steps, freq="5min", unit="ns")
    frame = pd.DataFrame(
        {
            "meter": np.tile(np.array(meters, dtype=object), steps),
            "ts": np.repeat(times, len(meters)),
            "value": np.arange(steps * len(meters)) / 8,
        }
    )
    return frame.sort_values(["ts", "meter"], ignore_index=True)


def go_on(kafka, frame, **limits):
    """Play what the topic does not hold yet."""
    last = played_since(kafka, {"source"}, {}, REGISTRY).last
    left = remaining(frame, last, limits.get("start"), limits.get("most"))
    return play(kafka, left, "source", FAST, lambda progress: None)


def on_topic(messages):
    """What the topic says, in the order of each meter's events."""
    values = [m.value() for m in messages]
    received = pd.Series(pd.Timestamp.now(tz="UTC"), index=range(len(values)))
    events = parse_usage(
        values, [m.key() for m in messages], received.astype("datetime64[ns, UTC]"), REGISTRY
    )
    assert events["reason"].isna().all()
    frame = events.rename(columns={"event_time": "ts"})[["meter", "ts", "value"]]
    return frame.sort_values("meter", kind="stable", ignore_index=True)


def in_order_a_meter(frame):
    return frame.sort_values(["meter", "ts"], ignore_index=True)


def assert_topic_is(kafka, read_all, frame):
    pd.testing.assert_frame_equal(on_topic(read_all(kafka)), in_order_a_meter(frame))


def test_each_meters_readings_arrive_in_order_on_one_partition(fresh_topics, read_all):
    kafka = fresh_topics(partitions=3)
    frame = source(200)
    told = []
    progress = play(kafka, frame, "source", FAST, lambda p: told.append((p.sent, p.total)))
    assert (progress.sent, progress.event_time) == (1000, frame["ts"].max())
    assert told == [(1000, 1000)]
    messages = read_all(kafka)
    places = {(m.key().decode(), m.partition()) for m in messages}
    assert len(places) == len(METERS)
    assert len({partition for _, partition in places}) > 1
    pd.testing.assert_frame_equal(on_topic(messages), in_order_a_meter(frame))


def test_runs_that_end_early_neither_repeat_nor_skip(fresh_topics, read_all):
    kafka = fresh_topics(partitions=3)
    frame = source(100)
    assert go_on(kafka, frame, most=123).sent == 123
    assert go_on(kafka, frame, most=124).sent == 1
    assert go_on(kafka, frame).sent == 376
    assert go_on(kafka, frame).sent == 0
    assert_topic_is(kafka, read_all, frame)


def test_a_meter_that_fell_silent_long_ago_is_still_found(kafka):
    frame = pd.concat([source(3, meters=("silent",)), source(2_500, meters=("a",))])
    play(
        kafka,
        frame.sort_values("ts", kind="stable", ignore_index=True),
        "source",
        FAST,
        lambda p: None,
    )
    assert played_since(kafka, {"source"}, {}, REGISTRY).last == {
        "a": START + pd.Timedelta(minutes=5 * 2_499),
        "silent": START + pd.Timedelta(minutes=10),
    }


def test_partitions_added_in_between_do_not_repeat_what_moved_to_them(fresh_topics, read_all):
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewPartitions

    kafka = fresh_topics(partitions=1)
    frame = source(60)
    go_on(kafka, frame, most=100)
    admin = AdminClient(kafka.client())
    admin.create_partitions([NewPartitions(USAGE, 3)])[USAGE].result()
    wait_until(lambda: has_leaders(kafka, 3))
    go_on(kafka, frame, most=200)
    assert go_on(kafka, frame).sent == 100
    messages = read_all(kafka)
    assert len({m.partition() for m in messages}) > 1
    pd.testing.assert_frame_equal(in_order_a_meter(on_topic(messages)), in_order_a_meter(frame))


def test_events_of_others_do_not_move_the_point_where_a_source_goes_on(kafka, put):
    frame = source(4, meters=("a",))
    play(kafka, frame.iloc[:2], "source", FAST, lambda progress: None)
    play(kafka, frame, "another source", FAST, lambda progress: None)
    put(kafka, [b"not json", None, b'{"meter":"a","ts":"2024-03-06T00:00:00Z","value":1}'])
    last = played_since(kafka, {"source"}, {}, REGISTRY).last
    assert last == {"a": frame["ts"].iloc[1]}


def test_an_empty_topic_and_a_missing_one_hold_no_last_reading(kafka, monkeypatch):
    assert played_since(kafka, {"source"}, {}, REGISTRY).last == {}
    monkeypatch.setattr("usage_platform.adapters.kafka.playback_position.USAGE", "never-made")
    assert played_since(kafka, {"source"}, {}, REGISTRY).last == {}


def test_events_that_the_broker_refuses_for_good_end_the_playback_in_one_line(kafka):
    from confluent_kafka.admin import (
        AdminClient,
        AlterConfigOpType,
        ConfigEntry,
        ConfigResource,
    )

    small = ConfigEntry("max.message.bytes", "1", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, USAGE, incremental_configs=[small])
    admin = AdminClient(kafka.client())
    admin.incremental_alter_configs([resource])[resource].result()
    with pytest.raises(PlaybackError, match=r"^topic usage: the broker refused \d+ events: .+$"):
        play(kafka, source(3), "source", FAST, lambda progress: None)


def test_topics_that_are_there_keep_what_was_played(kafka, read_all):
    play(kafka, source(3), "source", FAST, lambda progress: None)
    ensure_topics(kafka)
    assert_topic_is(kafka, read_all, source(3))


def has_leaders(kafka, partitions):
    try:
        return len(end_offsets(kafka, USAGE)) == partitions
    except KafkaUnreachableError:
        return False


def wait_until(holds):
    deadline = time.monotonic() + FOREVER
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
