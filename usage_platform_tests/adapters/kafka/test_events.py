from types import SimpleNamespace

from usage_platform.adapters.kafka.events import arrivals


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
