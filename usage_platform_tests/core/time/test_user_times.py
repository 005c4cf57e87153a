"""Moments as people write them, both changes of the clocks included."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.time.user_times import parse_instant, since

BOSTON = "America/New_York"
NOW = pd.Timestamp("2024-03-11T12:00Z")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-10", "2024-03-10T05:00Z"),
        ("2024-03-11", "2024-03-11T04:00Z"),
        ("2024-03-10 14:00", "2024-03-10T18:00Z"),
        ("2024-11-03T01:30", "2024-11-03T05:30Z"),
        ("2024-11-03T01:30-05:00", "2024-11-03T06:30Z"),
        ("2024-11-04", "2024-11-04T05:00Z"),
        ("2024-07-01T00:00Z", "2024-07-01T00:00Z"),
    ],
)
def test_a_local_time_is_an_instant_before_and_after_the_clocks_change(text, instant):
    assert parse_instant(text, BOSTON) == since(text, NOW, BOSTON) == pd.Timestamp(instant)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("36h", "2024-03-10T00:00Z"),
        ("1d", "2024-03-10T12:00Z"),
        ("2w", "2024-02-26T12:00Z"),
        ("90 min", "2024-03-11T10:30Z"),
        ("9999w", "1832-07-23T12:00Z"),
    ],
)
def test_a_span_goes_back_from_now_and_a_day_has_24_hours(text, instant):
    assert since(text, NOW.tz_convert(BOSTON), BOSTON) == pd.Timestamp(instant)


def test_a_time_that_the_clocks_skip_is_told():
    with pytest.raises(
        ValueError, match=r"^2024-03-10 02:30 is skipped by the clock change; give another time$"
    ):
        since("2024-03-10 02:30", NOW, BOSTON)


@settings(max_examples=30)
@given(st.text(max_size=12))
def test_what_is_no_moment_and_no_span_is_one_line_that_says_what_is(text):
    try:
        since(text, NOW, BOSTON)
    except ValueError as error:
        said = str(error)
        assert said.startswith("expected a time like 2024-03-05T13:00, got ")
        assert "36h or 7d" in said
        assert len(said.splitlines()) == 1
