"""Hours are computed with one interval a meter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.written_intervals import interval_mismatch

intervals = st.sampled_from([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60])


@given(st.dictionaries(st.text("abc", min_size=1), intervals), intervals, st.booleans())
def test_only_hours_of_the_meters_present_intervals_go_on(written, now, is_known):
    registry = MeterRegistry(Meter("default", interval_minutes=now))
    if is_known:
        registry = registry.with_meters([Meter(m, interval_minutes=now) for m in written])
    found = interval_mismatch({m: {60 // minutes} for m, minutes in written.items()}, registry)
    assert bool(found) == any(minutes != now for minutes in written.values())
    assert "\n" not in found


@pytest.mark.parametrize("expected_n", [{12}, {12, 4}])
def test_the_line_names_meter_both_intervals_and_the_setting(expected_n):
    registry = MeterRegistry(Meter("default", interval_minutes=15))
    line = interval_mismatch({"library": expected_n, "fine": {4}}, registry)
    assert line.startswith(
        "meter library: its hours in the lake were computed with an interval of 5"
    )
    assert "USAGE_INTERVAL_MINUTES=15 says 15" in line
    assert "set USAGE_INTERVAL_MINUTES=5" in line
