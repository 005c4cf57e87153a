"""A playback ends when its topic is another one, and waits for brokers that are away."""

import pytest

from usage_platform.adapters.kafka.topics import KafkaSettings, KafkaUnreachableError
from usage_platform.services import playback_topic
from usage_platform.services.playback_topic import PlayedTopic, TopicChangedError


@pytest.fixture
def brokers(monkeypatch):
    """Its one element is the topic's id as the brokers tell it, or the error of asking them."""
    answers = ["first"]

    def topic_id(kafka, topic):
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    monkeypatch.setattr(playback_topic, "topic_id", topic_id)
    return answers


@pytest.fixture
def look(brokers):
    """A look, seconds after the one before."""
    now = [0.0]
    topic = PlayedTopic(KafkaSettings("nowhere:1"), "first", lambda: now[0])

    def after(seconds):
        now[0] += seconds
        topic.check()

    return after


@pytest.mark.parametrize("now", ["second", None])
def test_a_topic_that_was_deleted_or_created_again_ends_it_in_one_line(brokers, look, now):
    look(10)
    brokers[0] = now
    look(1)
    with pytest.raises(TopicChangedError, match=r"^topic usage: it was deleted or created[^\n]+$"):
        look(10)


def test_brokers_that_are_away_do_not_end_it(brokers, look):
    brokers[0] = KafkaUnreachableError("away")
    look(10)
    brokers[0] = "first"
    look(10)
