"""Quiet hours on the wall clock, over both changes of the clocks and in half-hour zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.alerts.quiet_hours import end_of_quiet

NIGHT = (22 * 60, 7 * 60)
ROME = ZoneInfo("Europe/Rome")


def end(hours, local, zone, fold=0):
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold)
    found = end_of_quiet(hours, at, ZoneInfo(zone))
    return None if found is None else found.strftime("%Y-%m-%dT%H:%MZ")


@pytest.mark.parametrize(
    ("local", "zone", "until"),
    [
        ("2024-03-05T21:59", "Europe/Rome", None),
        ("2024-03-05T22:00", "Europe/Rome", "2024-03-06T06:00Z"),
        ("2024-03-06T06:59", "Europe/Rome", "2024-03-06T06:00Z"),
        ("2024-03-06T07:00", "Europe/Rome", None),
        # The night of the change in spring is an hour shorter, that in autumn an hour longer.
        ("2024-03-30T22:00", "Europe/Rome", "2024-03-31T05:00Z"),
        ("2024-10-26T22:00", "Europe/Rome", "2024-10-27T06:00Z"),
        ("2024-03-05T23:30", "Asia/Kolkata", "2024-03-06T01:30Z"),
        ("2024-03-09T23:30", "America/St_Johns", "2024-03-10T09:30Z"),
    ],
)
def test_a_night_ends_by_the_local_clock(local, zone, until):
    assert end(NIGHT, local, zone) == until


def test_an_end_that_the_clocks_skip_is_the_instant_of_the_change():
    assert end((60, 150), "2024-03-31T01:59", "Europe/Rome") == "2024-03-31T01:00Z"
    assert end((120, 180), "2024-03-31T03:00", "Europe/Rome") is None, "nothing is left of them"


def test_quiet_hours_that_end_in_the_hour_that_comes_twice_end_the_second_time():
    for fold in (0, 1):
        assert end((60, 150), "2024-10-27T02:10", "Europe/Rome", fold) == "2024-10-27T01:30Z"


@given(
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.integers(0, 366 * 1440),
)
def test_an_instant_is_quiet_as_its_clock_says_and_its_end_is_not(start, stop, minutes):
    if start == stop:
        return
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    local = at.astimezone(ROME)
    found = end_of_quiet((start, stop), at, ROME)
    minute = local.hour * 60 + local.minute
    within = start <= minute < stop if start < stop else not stop <= minute < start
    if local.month not in (3, 10):
        assert (found is not None) == within
    if found is not None:
        assert at < found <= at + timedelta(hours=25)
        assert end_of_quiet((start, stop), found, ROME) is None
