"""Values off the real broker, from some time on."""

from datetime import UTC, datetime, timedelta

import pytest

from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    KafkaSettings,
    KafkaUnreachableError,
    ensure_topics,
)
from usage_platform.adapters.kafka.watch import BEGINNING, values_since


def values(kafka, since, topic=ANOMALY):
    """All that there is."""
    turns = values_since(kafka, topic, since, False, lambda text: None)
    return [value for turn in turns for value in turn]


@pytest.mark.kafka
class TestTopic:
    def test_all_that_a_topic_holds_comes_in_its_order_and_then_it_ends(self, kafka, put):
        put(kafka, [b"1", b"2"], ANOMALY)
        assert values(kafka, BEGINNING) == [b"1", b"2"]
        assert values(kafka, None) == []

    def test_all_partitions_are_read_from_the_time_on_at_which_the_broker_got_something(
        self, fresh_topics, put, read_all
    ):
        kafka = fresh_topics(partitions=2)
        put(kafka, [(0, b"old"), (1, b"old")], ANOMALY)
        last = max(message.timestamp()[1] for message in read_all(kafka, ANOMALY))
        since = datetime.fromtimestamp(last / 1000, UTC) + timedelta(milliseconds=1)
        while datetime.now(UTC) <= since:
            pass
        put(kafka, [(1, b"new"), (0, b"newer")], ANOMALY)
        assert sorted(values(kafka, since)) == [b"new", b"newer"]
        assert values(kafka, datetime.now(UTC) + timedelta(hours=1)) == []

    def test_who_follows_sees_what_comes_later(self, kafka, put):
        turns = values_since(kafka, ANOMALY, BEGINNING, True, lambda text: None)
        come = (value for turn in turns for value in turn)
        for value in (b"1", b"2"):
            put(kafka, [value], ANOMALY)
            assert next(come) == value

    def test_a_topic_that_is_not_there_yet_is_waited_for_and_read_from_its_first(self, kafka, put):
        told = []
        turns = values_since(kafka, "later", None, True, told.append)
        assert next(turns) == []
        assert told == ["the topic later does not exist yet"]
        ensure_topics(kafka, ["later"])
        put(kafka, [b"1"], "later")
        assert next(value for turn in turns for value in turn) == b"1"
        assert told[1:] == [""]
        assert values(kafka, None, "never") == []


def test_a_broker_that_does_not_answer_is_told(unused_port, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.kafka.topics.ANSWER_SECONDS", 0.2)
    nowhere = KafkaSettings(f"127.0.0.1:{unused_port()}")
    with pytest.raises(KafkaUnreachableError, match="does not answer"):
        next(values_since(nowhere, ANOMALY, None, True, lambda text: None))
