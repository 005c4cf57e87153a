"""Local wall-clock time to UTC, both changes of the clocks included."""

from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.time.local_time import (
    expected_readings,
    local_day_bounds,
    offset_changes,
    to_utc,
)

BOSTON = "America/New_York"
SPRING, SUMMER, AUTUMN = date(2024, 3, 10), date(2024, 7, 1), date(2024, 11, 3)
NAMES = [BOSTON, "Europe/Rome", "Etc/GMT-1", "Asia/Kolkata", "Australia/Lord_Howe"]
ZONES = st.sampled_from(NAMES)
FIRST, LAST = date(2010, 1, 1), date(2050, 12, 31)
# Made when a test asks: each process of the tests reads this file.
changes_of = cache(partial(offset_changes, first=FIRST, last=LAST))


def clocks(*texts):
    return pd.Series(pd.to_datetime(list(texts), format="ISO8601"))


def utc(*texts):
    return list(pd.to_datetime(list(texts), format="ISO8601", utc=True))


def test_a_time_in_the_missing_spring_hour_is_nat_and_its_neighbours_are_not():
    found = to_utc(clocks("2024-03-10 01:55", "2024-03-10 02:00", "2024-03-10 03:00"), BOSTON)
    assert list(found.isna()) == [False, True, False]
    assert [found[0], found[2]] == utc("2024-03-10 06:55", "2024-03-10 07:00")


def test_the_first_row_of_an_ambiguous_time_is_daylight_saving_and_all_later_ones_are_standard():
    times = clocks("2024-11-03 01:30", "2024-11-03 01:35", *["2024-11-03 01:30"] * 2)
    found = to_utc(times, BOSTON, in_file_order=True)
    assert list(found) == utc(
        "2024-11-03 05:30", "2024-11-03 05:35", "2024-11-03 06:30", "2024-11-03 06:30"
    )


def test_without_an_order_every_ambiguous_time_is_daylight_saving():
    found = to_utc(clocks("2024-11-03 01:30", "2024-11-03 01:30"), BOSTON)
    assert list(found) == utc("2024-11-03 05:30", "2024-11-03 05:30")


def test_the_index_is_kept_and_the_input_is_left_alone():
    times = clocks("2024-11-03 01:30", "2024-03-10 02:30").set_axis([7, 7])
    before = times.copy()
    found = to_utc(times, BOSTON, in_file_order=True)
    assert list(found.index) == [7, 7]
    pd.testing.assert_series_equal(times, before)


def test_no_times_give_no_instants():
    found = to_utc(clocks(), BOSTON, in_file_order=True)
    assert found.empty
    assert str(found.dtype) == "datetime64[ns, UTC]"


@given(ZONES, st.integers(0, 17_000), st.sampled_from([5, 15, 30]), st.integers(0, 10))
def test_the_wall_clocks_of_consecutive_instants_lead_back_to_them(zone, day, step, days):
    # Midnight UTC lies in no zone's second autumn hour, so the first of each pair is there.
    start = pd.Timestamp("1990-01-01", tz="UTC") + pd.Timedelta(days=day)
    instants = pd.Series(pd.date_range(start, periods=days * 24 * 60 // step, freq=f"{step}min"))
    naive = instants.dt.tz_convert(zone).dt.tz_localize(None)
    pd.testing.assert_series_equal(to_utc(naive, zone, in_file_order=True), instants)


@pytest.mark.parametrize("zone", [BOSTON, "Europe/Rome", "Australia/Lord_Howe"])
def test_a_whole_year_of_wall_clocks_leads_back_to_its_instants(zone):
    instants = pd.Series(pd.date_range("2024-01-01", "2025-01-01", freq="5min", tz="UTC"))
    naive = instants.dt.tz_convert(zone).dt.tz_localize(None)
    pd.testing.assert_series_equal(to_utc(naive, zone, in_file_order=True), instants)


@given(ZONES, st.datetimes(datetime(1970, 1, 1), datetime(2037, 12, 31)))  # noqa: DTZ001
def test_an_existing_time_is_read_as_the_standard_library_reads_it(zone, clock):
    found = to_utc(pd.Series([pd.Timestamp(clock)]), zone)[0]
    expected = clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    exists = expected.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == clock
    assert (found == expected) if exists else pd.isna(found)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (SUMMER, 24), (AUTUMN, 25)])
def test_a_day_has_23_24_or_25_hours_of_readings(day, hours):
    start, end = local_day_bounds(day, BOSTON)
    assert end - start == timedelta(hours=hours)
    assert expected_readings(day, BOSTON, 5) == hours * 12
    assert expected_readings(day, BOSTON, 15) == hours * 4


def test_a_day_starts_at_local_midnight():
    assert list(local_day_bounds(AUTUMN, BOSTON)) == utc("2024-11-03 04:00", "2024-11-04 05:00")


def test_a_day_whose_midnight_is_missing_starts_at_the_change():
    assert local_day_bounds(date(2024, 4, 26), "Africa/Cairo")[0] == utc("2024-04-25 22:00")[0]


def test_a_day_with_two_midnights_starts_at_the_earlier():
    assert local_day_bounds(AUTUMN, "America/Havana")[0] == utc("2024-11-03 04:00")[0]


def test_a_day_that_was_left_out_of_the_calendar_expects_nothing():
    assert expected_readings(date(2011, 12, 30), "Pacific/Apia", 5) == 0


@given(ZONES, st.dates(date(1971, 1, 1), date(2037, 12, 30)))
def test_days_follow_each_other_without_a_gap(zone, day):
    start, end = local_day_bounds(day, zone)
    assert local_day_bounds(day + timedelta(days=1), zone)[0] == end
    assert start.tz_convert(zone).date() == day
    assert (end - timedelta(microseconds=1)).tz_convert(zone).date() == day


@given(ZONES, st.dates(FIRST, LAST), st.times())
def test_the_changes_of_a_zone_give_the_local_time_of_any_instant(zone, day, clock):
    at = datetime.combine(day, clock)
    changes = [(start, minutes) for start, minutes in changes_of(zone) if start <= at]
    local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert at + timedelta(minutes=changes[-1][1]) == local
