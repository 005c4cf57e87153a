"""Events in our own form are read as one by one, to the last bit; `parse_usage` uses both ways."""

from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings import messages
from usage_platform.core.readings.messages import parse_usage, usage_messages
from usage_platform.core.readings.plain_events import plain_events

REGISTRY = MeterRegistry().with_meters([Meter("roof", "Asia/Kolkata", 15, sign=Sign.NET)])
NOW = pd.Timestamp("2026-01-01", tz="UTC")

names = st.one_of(
    st.sampled_from(["hall", "roof", " ", "", "a b", "a}b", "a{b", "[" * 40, 'a"b', "a\\\\b", "ü"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=210),
)
days = st.one_of(
    st.dates(pd.Timestamp("1890-01-01").date(), pd.Timestamp("2210-12-31").date()).map(str),
    st.sampled_from(["2024-02-29", "2023-02-29", "2024-04-31", "2024-13-01", "2024-00-10"]),
)
clocks = st.sampled_from(["00:00:00", "13:05:00", "13:06:30", "23:59:59", "24:00:00", "12:60:00"])
zones = st.sampled_from(["Z", "Z", "Z", "", "+00:00", "-05:30", "z"])
numbers = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.floats(0, 2e8).map(repr),
    st.integers(-5, 10**25).map(str),
    st.sampled_from(["-0.0", "0", "007", "1.", ".5", "1e8", "1E+8", "1e400", "NaN", "true", '"1"']),
)
events = st.builds(
    '{{"meter":{5}"{0}",{5}"ts":"{1}T{2}{3}","value":{4}}}{6}'.format,
    *(names, days, clocks, zones, numbers, st.sampled_from(["", "", " ", "  "])),
    st.sampled_from(["", "", "", " ", "\n", "x"]),
)


def parse(values):
    received = pd.Series([NOW] * len(values), dtype="datetime64[ns, UTC]")
    return parse_usage(values, [b"key"] * len(values), received, REGISTRY)


def one_by_one(values):
    with patch.object(messages, "plain_events", lambda values: plain_events([])):
        return parse(values)


@given(st.lists(st.one_of(st.none(), events.map(str.encode), st.binary(max_size=30)), max_size=6))
@example([b'{"meter":"roof","ts":"2024-03-05T13:00:00Z","value":-1.5}'])
@example([b'{"meter":"hall","ts":"2024-03-05T13:00:00Z","value":-0.0}', None])
def test_both_ways_give_the_same(values):
    assert_frame_equal(parse(values), one_by_one(values), check_exact=True)


@pytest.mark.parametrize(
    "value",
    [
        b'{"meter":"hall","ts":"2024-03-05T13:05:00Z","value":1.5}',
        b'{"meter": "hall", "ts": "2024-12-31T23:55:00Z", "value": 0}',
    ],
)
def test_what_writers_of_json_write_is_plain(value):
    assert plain_events([None, value]).places.tolist() == [1]


def test_what_the_platform_writes_is_plain():
    frame = pd.DataFrame({"meter": "hall 7", "ts": [NOW], "value": [0.1 + 0.2]})
    (value,) = usage_messages(frame)
    found = plain_events([value])
    assert (found.meters, found.ns.tolist()) == (["hall 7"], [NOW.value])
    assert found.kw.tolist() == [0.1 + 0.2]


@pytest.mark.parametrize(
    "value",
    [
        b'{"meter":"hall","ts":"2024-02-30T13:05:00Z","value":1.5}',
        b'{"meter":"hall","ts":"2024-03-05T13:05:00Z","value":1.5,"unit":"W"}',
        b'{"meter":"hall","ts":"2024-03-05T13:05:00Z","value":1e9}',
        b'{"meter":"  ","ts":"2024-03-05T13:05:00Z","value":1.5}',
        b'{"meter":"h\\u0061ll","ts":"2024-03-05T13:05:00Z","value":1.5}',
    ],
)
def test_what_needs_a_second_look_is_not_plain(value):
    assert plain_events([value]).places.tolist() == []
