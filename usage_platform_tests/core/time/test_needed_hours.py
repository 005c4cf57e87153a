"""Hours as people write them, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.time.needed_hours import (
    NeededHours,
    parse_needed_hours,
    written_schedule,
)


@given(st.integers(0, 1439), st.integers(1, 1440))
def test_what_is_written_is_read_again(start, length):
    hours = NeededHours(start, min(start + length, 1440))
    assert parse_needed_hours(str(hours)) == hours


@pytest.mark.parametrize(
    "text", ["", "8-18", "08:00", "18:00-08:00", "8:00-8:00", "08:60-09:00", "-1:00-09:00", 800]
)
def test_what_means_no_hours_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"such as '08:00-18:30', got"):
        parse_needed_hours(text)


def test_a_schedule_leaves_out_the_days_on_which_it_is_closed():
    hours = parse_needed_hours("8:00 - 24:00")
    assert written_schedule((hours, None, hours)) == "weekdays 08:00-24:00, sundays 08:00-24:00"
