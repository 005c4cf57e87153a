"""Waits by a clock that may be set back."""

from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.time.waiting import seconds_left

seconds = st.floats(0, 2e9)
waits = st.floats(1, 300)


@given(seconds, waits, st.floats(-1e6, 1e6))
def test_no_wait_is_longer_than_it_can_be_whatever_the_clock_does(start, wait, step):
    assert 0 <= seconds_left(start + wait, start + step, wait) <= wait


@given(st.integers(0, 10**9), st.integers(1, 300), st.integers(0, 300))
def test_while_the_clock_runs_on_it_is_what_is_left(start, wait, passed):
    assert seconds_left(start + wait, start + passed, wait) == max(wait - passed, 0)


def test_after_the_clock_was_set_back_by_a_day_nothing_waits_for_a_day():
    assert seconds_left(1_000_000 + 10, 1_000_000 - 86_400, 10) == 0
