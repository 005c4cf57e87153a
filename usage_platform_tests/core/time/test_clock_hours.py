"""Hours begin at xx:00 on the zone's own clock, whatever it has done."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR
from usage_platform_tests.clock_hour_oracle import expected_n, hour_of

ZONES = [
    "America/Caracas",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Singapore",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "UTC",
]
# Lord Howe's clock goes on from 2:00 to 2:30 in spring, and back from 2:00 to 1:30 in autumn.
LORD_HOWE = {"spring": "2024-10-05T15:30", "autumn": "2024-04-06T15:00"}

minutes = st.integers(0, 50 * 366 * 1440)


def at(minute: int) -> datetime:
    return datetime(1971, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)


def ns(instant: datetime) -> int:
    return int(instant.timestamp()) * 10**9


def hour(zone: str, instant: datetime) -> tuple[int, int]:
    hours = clock_hours(zone)
    start = hours.starts(np.array([ns(instant)]))
    return int(start[0]), int(hours.ends(start)[0])


@given(st.sampled_from(ZONES), minutes, st.integers(0, 59))
def test_an_hour_is_what_the_clock_says(zone, minute, second):
    begin, end = hour_of(at(minute), ZoneInfo(zone))
    assert hour(zone, at(minute) + timedelta(seconds=second)) == (ns(begin), ns(end))


@given(st.sampled_from(ZONES), st.integers(0, 200), st.integers(-200, 200))
@example("Australia/Lord_Howe", 90, 0)
def test_an_hour_is_what_the_clock_says_beside_a_change_by_a_part_of_an_hour(zone, number, beside):
    changes = clock_hours(zone).changes[1:-1]
    if not len(changes):
        return
    change = datetime.fromtimestamp(int(changes[number % len(changes)]) // 10**9, UTC)
    instant = change + timedelta(minutes=beside)
    begin, end = hour_of(instant, ZoneInfo(zone))
    assert hour(zone, instant) == (ns(begin), ns(end))


@given(st.sampled_from(ZONES), minutes, st.sampled_from([1, 5, 12, 15, 20, 30, 60]))
@example("Australia/Lord_Howe", 28_276_780, 20)
def test_the_expected_readings_are_the_intervals_that_begin_on_the_clock(zone, minute, interval):
    begin, end = hour_of(at(minute), ZoneInfo(zone))
    found = clock_hours(zone).expected_readings(np.array([ns(begin)]), np.array([interval]))
    assert found.tolist() == [expected_n(begin, end, ZoneInfo(zone), interval)]


@pytest.mark.parametrize("change", LORD_HOWE.values(), ids=LORD_HOWE)
@pytest.mark.parametrize(("interval", "count"), [(5, 6), (20, 1), (30, 1), (60, 0)])
def test_a_change_by_half_an_hour_begins_a_short_hour(change, interval, count):
    begin = datetime.fromisoformat(change).replace(tzinfo=UTC)
    assert hour("Australia/Lord_Howe", begin) == (ns(begin), ns(begin) + NS_AN_HOUR // 2)
    hours = clock_hours("Australia/Lord_Howe")
    start = np.array([ns(begin)])
    assert hours.expected_readings(start, np.array([interval])).tolist() == [count]


@given(st.sampled_from(ZONES), minutes, st.integers(1, 60 * 24))
def test_the_hours_of_a_span_follow_each_other(zone, minute, length):
    first, end = ns(at(minute)), ns(at(minute)) + length * NS_A_MINUTE
    hours = clock_hours(zone)
    starts = hours.between(first, end)
    every = hours.starts(np.arange(first, end, NS_A_MINUTE))
    assert starts.tolist() == sorted({one for one in every.tolist() if one >= first})
    assert (hours.ends(starts[:-1]) == starts[1:]).all()


def test_zones_of_whole_hours_have_the_hours_of_utc():
    assert clock_hours("America/New_York").are_utc
    assert clock_hours("UTC").are_utc
    assert not clock_hours("Asia/Kolkata").are_utc


@pytest.mark.parametrize("years", [(1970, 1990), (1990, 2010), (2010, 2040)])
def test_no_zone_has_a_distance_that_is_passed_over(years):
    first, end = (datetime(year, 1, 1, tzinfo=UTC) for year in years)
    days = [first + timedelta(days=13 * n) for n in range((end - first).days // 13)]
    for name in sorted(available_timezones()):
        zone, hours = ZoneInfo(name), clock_hours(name)
        ahead = hours.ahead[np.searchsorted(hours.changes, [ns(d) for d in days], "right") - 1]
        offsets = [day.astimezone(zone).utcoffset().total_seconds() % 3600 for day in days]
        assert (ahead == np.array(offsets) * 10**9).all(), name
