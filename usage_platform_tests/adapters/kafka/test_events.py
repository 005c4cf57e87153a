from types import SimpleNamespace

from confluent_kafka import Message

from usage_platform.adapters.kafka.events import arrivals, raw_frame
from usage_platform.core.readings.reject_reasons import KEPT_BYTES


def message(partition, offset, at):
    return SimpleNamespace(
        name=f"{partition}@{offset}",
        partition=lambda: partition,
        offset=lambda: offset,
        timestamp=lambda: (2, at),
    )


def names(messages):
    return [one.name for _, one in sorted(arrivals(messages), key=lambda one: one[0])]


def test_partitions_are_put_together_by_the_brokers_time():
    of_both = [message(0, 0, 10), message(1, 0, 5), message(0, 1, 12), message(1, 1, 11)]
    assert names(of_both) == ["1@0", "0@0", "1@1", "0@1"]


def test_after_the_brokers_clock_was_set_back_a_partition_keeps_its_order():
    day = 86_400_000
    set_back = [message(0, 0, day), message(0, 1, day + 1), message(0, 2, 5), message(0, 3, 6)]
    assert names(set_back) == ["0@0", "0@1", "0@2", "0@3"]


def test_of_events_only_what_means_anything_is_kept_in_memory():
    def event(offset, content):
        return Message(
            topic="usage", partition=0, offset=offset, key=content, value=content, timestamp=(2, 1)
        )

    events = [event(0, b"x" * 1_000_000), event(1, b"short"), event(2, None)]
    cut = raw_frame(iter(events), most_bytes=4_000)
    assert [value and len(value) for value in cut["value"]] == [4_001, 5, None]
    assert [key and len(key) for key in cut["key"]] == [KEPT_BYTES, 5, None]
    assert raw_frame(events)["value"].tolist() == [one.value() for one in events]
