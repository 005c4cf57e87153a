"""Following topics: what fails in the thread is reported, and following goes on."""

import pytest

from usage_platform.adapters.kafka.tail import TopicTail
from usage_platform.adapters.kafka.topics import USAGE
from usage_platform_tests.topics import until


@pytest.mark.kafka
@pytest.mark.timeout(120)
def test_an_error_of_whoever_gets_the_messages_is_reported_and_the_next_ones_come(kafka, put):
    seen: list[bytes] = []
    states: list[str] = []

    def take(messages):
        if any(message.value() == b"bad" for message in messages):
            raise FileNotFoundError("a model that was deleted meanwhile")
        seen.extend(message.value() for message in messages)

    tail = TopicTail(lambda: kafka, (USAGE,), 10, take, states.append)
    put(kafka, [b"bad"])
    tail.start()
    try:
        until(lambda: any("FileNotFoundError" in state for state in states))
        put(kafka, [b"good"])
        until(lambda: seen == [b"good"])
    finally:
        tail.stop()
    assert states == ["", "messages cannot be shown (FileNotFoundError): see the log", ""]


def test_settings_that_cannot_be_read_are_reported_and_read_again():
    states: list[str] = []

    def settings():
        raise ValueError("a damaged file")

    tail = TopicTail(settings, (USAGE,), 10, lambda messages: None, states.append)
    tail.start()
    try:
        until(lambda: len(states) >= 2)
    finally:
        tail.stop()
    assert set(states) == {"messages cannot be shown (ValueError): see the log"}
