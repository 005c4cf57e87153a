import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usage_platform.core.limits import EventLimits
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.event_times import read_time
from usage_platform.core.readings.messages import parse_usage

# The default meter has a reading a minute; the others' hours begin at their own clock's hour.
REGISTRY = MeterRegistry(Meter(interval_minutes=1)).with_meters(
    [
        Meter("five", interval_minutes=5),
        Meter("rome", "Europe/Rome", 15),
        Meter("delhi", "Asia/Kolkata", 60),
        Meter("kathmandu", "Asia/Kathmandu", 60),
        Meter("lord-howe", "Australia/Lord_Howe", 60),
    ]
)
NOW = pd.Timestamp("2025-01-01", tz="UTC")


def parse(*values, now=NOW, registry=REGISTRY):
    received = pd.Series([now] * len(values), dtype="datetime64[ns, UTC]")
    return parse_usage(values, [None] * len(values), received, registry)


def codes(*values, now=NOW, registry=REGISTRY):
    reasons = parse(*values, now=now, registry=registry)["reason"]
    return [None if reason is None else reason.partition(":")[0] for reason in reasons]


def event(ts, **more):
    return json.dumps({"ts": ts, "value": 1.0, **more}).encode()


def instant_of(ts, meter="central-library", now=NOW):
    row = parse(event(ts, meter=meter), now=now).iloc[0]
    assert row["reason"] is None
    return row["event_time"]


nanoseconds = st.integers(946_684_800 * 10**9, 4_102_444_799 * 10**9)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59)


def digits_of(ns, count):
    return f"{ns % 10**9:09d}"[:count]


def written(ns, offset, count, form):
    """An instant as a program writes it, with so many digits of a second."""
    zone = timezone(timedelta(minutes=offset))
    wall = datetime.fromtimestamp(ns // 10**9, zone)
    fraction = f".{digits_of(ns, count)}" if count else ""
    sign, ahead = "-" if offset < 0 else "+", abs(offset)
    hours, minutes = f"{ahead // 60:02d}", f"{ahead % 60:02d}"
    suffix = {
        "python": f"{sign}{hours}:{minutes}",
        "basic": f"{sign}{hours}{minutes}",
        "ruby": f" {sign}{hours}{minutes}",
        "postgres": f"{sign}{hours}" + (f":{minutes}" if minutes != "00" else ""),
    }[form]
    separator = "T" if form in ("python", "basic") else " "
    return f"{wall:%Y-%m-%d}{separator}{wall:%H:%M:%S}{fraction}{suffix}"


@given(
    nanoseconds,
    offsets,
    st.integers(0, 9),
    st.sampled_from(["python", "basic", "ruby", "postgres"]),
)
def test_an_instant_is_read_as_it_was_written_with_any_offset_and_digits(ns, offset, count, form):
    kept = ns - ns % 10 ** (9 - count)
    assert read_time(written(ns, offset, count, form)) == (kept, False)


@given(nanoseconds)
def test_numbers_are_seconds_or_milliseconds_since_1970(ns):
    seconds, milliseconds = ns // 10**9, ns // 10**6
    assert read_time(float(seconds)) == (seconds * 10**9, False)
    assert read_time(float(milliseconds)) == (milliseconds * 10**6, False)


@given(st.integers(946_684_800, 4_102_444_799), st.floats(1e-6, 1 - 1e-6))
def test_a_part_of_a_second_is_never_taken_for_a_whole_one(second, part):
    assert read_time(second + part).ns % 10**9 != 0
    assert codes(event(second // 60 * 60 + part), now=NOW + pd.Timedelta("30000d")) == ["off_grid"]


@pytest.mark.parametrize(
    ("ts", "instant"),
    [
        ("2024-03-05T13:05:00-05:00", "2024-03-05T18:05Z"),
        ("2024-03-05 13:05:00", "2024-03-05T18:05Z"),
        ("2024-07-05 13:05", "2024-07-05T17:05Z"),
        ("2024-03-05T13:05:00Z", "2024-03-05T13:05Z"),
        ("2024-03-05T13:05Z", "2024-03-05T13:05Z"),
        ("2024-03-05 13:05:00+00", "2024-03-05T13:05Z"),
        ("2024-03-05 13:05:00-05", "2024-03-05T18:05Z"),
        ("2024-03-05T13:05:00-0500", "2024-03-05T18:05Z"),
        ("2024-03-05 13:05:00 -0500", "2024-03-05T18:05Z"),
        ("2024-03-05T13:05:00.0000000-05:00", "2024-03-05T18:05Z"),
        ("2024-03-05T13:05:00.000000000Z", "2024-03-05T13:05Z"),
        ("2024-03-05 13:05:00.000+05:30", "2024-03-05T07:35Z"),
        ("2024-03-05T13:05:00.000000-00:00", "2024-03-05T13:05Z"),
        (1709661900, "2024-03-05T18:05Z"),
        (1709661900.0, "2024-03-05T18:05Z"),
        (1709661900000, "2024-03-05T18:05Z"),
    ],
)
def test_a_time_is_read_in_its_offset_or_else_on_the_meters_clock(ts, instant):
    assert instant_of(ts) == pd.Timestamp(instant)


@pytest.mark.parametrize(
    "ts",
    [
        *("", "NaT", "now", "today", "2024-03-05", "2024-03-05T13", "13:05:00", "20240305T130500Z"),
        *("2024-W10-2T13:05:00Z", "2024-03-05T13:05:00z", "2024-03-05T13:05:00  -05:00"),
        *("2024-03-05T13:05:00+05:75", "2024-03-05T13:05:00+5", "2024-03-05T13:05:00+24:00"),
        *("2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-03-05T24:00:00Z"),
        *("2024-03-05T13:60:00Z", "2024-03-05T13:05:60Z", "2024-03-05T13:05.5Z"),
        *("2024-03-05T13:05:00.1234567890Z", "2024-03-05T13:05:00,5Z", " 2024-03-05T13:05:00Z"),
        *("2024-03-05T13:05:00Z\n", "٢٠٢٤-03-05T13:05:00Z", "0000-01-01T00:00:00Z"),
        *("2024-03-05T13:05:00[America/New_York]", "5/3/2024 13:05", "1709661900", "\ud800"),
        *(1709661900000000, 1e300, float("nan"), float("inf"), float("-inf")),
    ],
)
def test_a_time_in_another_form_is_unreadable(ts):
    assert codes(event(ts)) == ["unreadable_time"]


@pytest.mark.parametrize(
    ("ts", "code"),
    [
        ("1999-12-31T23:59:00Z", "too_old"),
        ("2000-01-01T00:00:00+00:01", "too_old"),
        ("1970-01-01 00:00:00", "too_old"),
        ("0001-01-01T00:00:00+05:00", "too_old"),
        ("1677-09-21 00:12:44", "too_old"),
        (0, "too_old"),
        (-1e13, "too_old"),
        ("2262-04-11 23:47:16", "future_time"),
        ("9999-12-31T23:59:59-05:00", "future_time"),
        (9e13, "future_time"),
        ("2000-01-01T00:00:00Z", None),
        ("1999-12-31 19:00:00", None),
    ],
)
def test_a_time_before_the_oldest_accepted_day_or_beyond_the_brokers_clock_is_refused(ts, code):
    assert codes(event(ts)) == [code]


@given(st.dates(date(1970, 1, 1), date(2024, 1, 1)))
def test_the_oldest_accepted_day_is_a_setting_that_the_reason_names(day):
    registry = replace(REGISTRY, limits=EventLimits(oldest_day=day))
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    late, early = (event((at - back).isoformat()) for back in (timedelta(0), timedelta(minutes=1)))
    read = parse(late, early, registry=registry)["reason"].tolist()
    assert read == [None, f"too_old: ts must be {day} or later, UTC (USAGE_OLDEST_TIME)"]


def test_a_naive_time_is_on_the_clock_of_its_own_meter():
    assert instant_of("2024-07-05 13:15:00", "rome") == pd.Timestamp("2024-07-05T11:15Z")
    assert instant_of("2024-07-05 13:00:00", "delhi") == pd.Timestamp("2024-07-05T07:30Z")
    assert instant_of("2024-07-05 13:15:00", "unknown") == pd.Timestamp("2024-07-05T17:15Z")


@pytest.mark.parametrize("meter", ["five", "rome", "delhi", "kathmandu", "lord-howe"])
@given(st.integers(946_684_800 // 60, 1_735_689_600 // 60))
@settings(max_examples=30, deadline=None)
@example(1_712_415_600 // 60)  # The clocks of Lord Howe go back by half an hour.
def test_an_event_off_the_grid_of_its_meters_clock_is_refused_with_the_interval(meter, minute):
    known = REGISTRY.get(meter)
    at = datetime.fromtimestamp(minute * 60, UTC)
    local = at.astimezone(ZoneInfo(known.timezone))
    row = parse(event(at.isoformat(), meter=meter)).iloc[0]
    if (local.hour * 60 + local.minute) % known.interval_minutes:
        assert row["reason"].startswith("off_grid: ")
        assert f" {known.interval_minutes} minutes" in row["reason"]
    else:
        assert row["reason"] is None
        assert row["event_time"] == at


def test_a_nanosecond_off_the_grid_is_off_it():
    at = "2024-03-05T13:05:00.{}Z"
    assert codes(*(event(at.format(f)) for f in ("0000001", "000000001"))) == ["off_grid"] * 2


def test_a_naive_time_that_the_clock_skips_or_gives_twice_is_refused_and_its_neighbours_are_not():
    naive = ["01:55", "02:00", "02:55", "03:00"]
    spring = codes(*(event(f"2024-03-10 {t}:00") for t in naive))
    assert spring == [None, *["nonexistent_time"] * 2, None]
    naive = ["00:55", "01:00", "01:55", "02:00"]
    autumn = codes(*(event(f"2024-11-03 {t}:00") for t in naive))
    assert autumn == [None, *["ambiguous_time"] * 2, None]


def test_a_clock_change_is_that_of_the_events_own_zone():
    at = "2024-10-27 02:00:00"
    read = codes(event(at, meter="rome"), event(at, meter="delhi"), event(at))
    assert read == ["ambiguous_time", None, None]


def test_both_hours_of_the_change_are_read_when_they_carry_an_offset():
    first, second = "2024-11-03T01:30:00-04:00", "2024-11-03T01:30:00-05:00"
    assert instant_of(second) - instant_of(first) == pd.Timedelta(hours=1)


@pytest.mark.parametrize(
    ("meter", "ts", "first", "second"),
    [
        ("five", "2024-11-03 01:30:00", "2024-11-03T05:30Z", "2024-11-03T06:30Z"),
        ("rome", "2024-10-27 02:30:00", "2024-10-27T00:30Z", "2024-10-27T01:30Z"),
        ("dublin", "2024-10-27 01:30:00", "2024-10-27T00:30Z", "2024-10-27T01:30Z"),
        ("half", "2024-04-07 01:45:00", "2024-04-06T14:45Z", "2024-04-06T15:15Z"),
    ],
)
def test_the_brokers_clock_settles_the_hour_that_comes_twice_where_one_answer_is_left(
    meter, ts, first, second
):
    registry = REGISTRY.with_meters(
        [Meter("dublin", "Europe/Dublin", 15), Meter("half", "Australia/Lord_Howe", 15)]
    )
    raw, tolerance = event(ts, meter=meter), pd.Timedelta(minutes=5)
    earliest, latest = pd.Timestamp(first) - tolerance, pd.Timestamp(second) - tolerance
    moment = pd.Timedelta(1, "ns")
    for now in (earliest, pd.Timestamp(first) + pd.Timedelta(minutes=1), latest - moment):
        row = parse(raw, now=now, registry=registry).iloc[0]
        assert (row["reason"], row["event_time"]) == (None, pd.Timestamp(first))
    assert codes(raw, now=earliest - moment, registry=registry) == ["future_time"]
    assert codes(raw, now=latest, registry=registry) == ["ambiguous_time"]


def test_five_minutes_after_the_broker_is_taken_and_a_moment_more_is_refused():
    now = pd.Timestamp("2024-03-05T13:00:00Z")
    assert codes(event("2024-03-05T13:05:00Z"), now=now) == [None]
    assert codes(event("2024-03-05T13:05:00.000001Z"), now=now) == ["future_time"]
    assert codes(event("2024-03-05 08:05:00"), now=now) == [None]
    assert codes(event("2024-03-05 08:05:01"), now=now) == ["future_time"]


def test_each_event_is_measured_by_its_own_time_of_receipt():
    received = pd.Series(pd.to_datetime(["2024-01-01", "2025-01-01"], utc=True), index=[7, 7])
    one = event("2024-03-05T13:05:00Z")
    read = parse_usage([one, one], [None, None], received, REGISTRY)["reason"]
    assert read[0].startswith("future_time: ")
    assert read[1] is None
