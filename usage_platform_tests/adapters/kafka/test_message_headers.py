"""Headers that the client cannot read: seen with librdkafka 2.16 and a name of `b"\\xff\\xfe"`."""

from types import SimpleNamespace

import pytest

from usage_platform.adapters.kafka.message_headers import readable_headers
from usage_platform.adapters.kafka.sample_messages import collected_header, sample_message


def message(headers):
    def asked():
        if isinstance(headers, Exception):
            raise headers
        return headers

    parts = {"key": b"plug", "value": b"1", "timestamp": (1, 1_709_661_900_000)}
    methods = {name: lambda part=part: part for name, part in parts.items()}
    return SimpleNamespace(**methods, headers=asked)


UNREADABLE = SystemError("<method 'headers'> returned a result with an exception set")


@pytest.mark.parametrize("headers", [None, [], UNREADABLE])
def test_a_message_without_readable_headers_has_none(headers):
    assert list(readable_headers(message(headers))) == []
    assert sample_message(message(headers)).collected is None


def test_other_headers_are_as_they_came():
    headers = [("other", None), ("other", b"\xff"), *collected_header(1_709_661_899.0)]
    assert list(readable_headers(message(headers))) == headers
    assert sample_message(message(headers)).collected == 1_709_661_899_000


@pytest.mark.parametrize("text", [None, b"", b"-1", b"1e9", b"9" * 16, "١٢٣".encode()])
def test_a_time_of_the_collector_that_is_none_is_left_out(text):
    assert sample_message(message([("collected_ms", text)])).collected is None
