import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.limits import MOST_KW
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, WATERMARK, hourly_from_readings
from usage_platform.core.time.local_time import local_day_bounds

START = pd.Timestamp("2024-03-05T13:00:00Z")


def registry(minutes=5):
    return MeterRegistry(Meter(interval_minutes=minutes))


def readings(values, start=START, minutes=5, meter="a"):
    times = pd.date_range(start, periods=len(values), freq=f"{minutes}min", unit="ns")
    frame = pd.DataFrame({"meter": meter, "event_time": times, "value": values})
    return frame.astype({"meter": object, "value": "float64"})


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_a_full_hour_has_its_average_range_and_energy_at_any_interval(minutes):
    n = 60 // minutes
    values = [10.0 * (i + 1) for i in range(n)]
    hour = hourly_from_readings(readings(values, minutes=minutes), registry(minutes)).iloc[0]
    mean = 5.0 * (n + 1)
    assert (hour["n"], hour["expected_n"]) == (n, n)
    assert (hour["min_usage"], hour["max_usage"]) == (10, 10 * n)
    assert hour["avg_usage"] == hour["energy_kwh"] == mean
    assert hour["end"] - hour["start"] == pd.Timedelta(hours=1)


def test_an_hour_with_gaps_averages_what_is_there_and_counts_only_its_energy():
    hour = hourly_from_readings(readings([12, 24]), registry()).iloc[0]
    assert (hour["n"], hour["expected_n"]) == (2, 12)
    assert (hour["avg_usage"], hour["energy_kwh"]) == (18, 3)


def test_a_reading_belongs_to_the_hour_in_which_its_interval_starts():
    hours = hourly_from_readings(readings([1, 2], start=START - pd.Timedelta("5min")), registry())
    assert hours["start"].tolist() == [START - pd.Timedelta(hours=1), START]


def test_hours_stand_by_meter_and_start_and_meters_do_not_mix():
    both = pd.concat([readings([2], meter="b"), readings([1] * 13, meter="a")])
    hours = hourly_from_readings(both, registry())
    assert hours["meter"].tolist() == ["a", "a", "b"]
    assert hours["avg_usage"].tolist() == [1, 1, 2]


def test_no_readings_make_no_hours():
    hours = hourly_from_readings(readings([]), registry())
    assert hours.empty
    assert hours.columns.tolist() == HOURLY_COLUMNS


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, MOST_KW), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_the_readings_does_not_change_the_last_bit(values, random):
    frame = readings(values, minutes=1)
    order = random.sample(range(len(frame)), len(frame))
    straight = hourly_from_readings(frame, registry(1))
    pd.testing.assert_frame_equal(
        hourly_from_readings(frame.iloc[order], registry(1)), straight, check_exact=True
    )


def test_sixty_of_the_largest_readings_average_to_exactly_that():
    hour = hourly_from_readings(readings([MOST_KW] * 60, minutes=1), registry(1)).iloc[0]
    assert hour["avg_usage"] == hour["energy_kwh"] == MOST_KW


@pytest.mark.parametrize(("behind", "final"), [("-5min", False), ("0min", True), ("5min", True)])
def test_an_hour_is_final_from_one_hour_after_its_end_on(behind, final):
    newest = START + pd.Timedelta(hours=1) + WATERMARK + pd.Timedelta(behind)
    frame = pd.concat([readings([1]), readings([1], start=newest)])
    hours = hourly_from_readings(frame, registry())
    assert hours["is_final"].tolist() == [final, False]


def test_another_meters_readings_do_not_make_an_hour_final():
    later = START + pd.Timedelta(hours=9)
    frame = pd.concat([readings([1]), readings([1], start=later, meter="b")])
    assert not hourly_from_readings(frame, registry())["is_final"].any()


@pytest.mark.parametrize(
    ("day", "count"), [("2024-03-10", 23), ("2024-11-03", 25), ("2024-03-11", 24)]
)
def test_a_local_day_has_23_24_or_25_full_hours(day, count):
    start, end = local_day_bounds(pd.Timestamp(day).date(), "America/New_York")
    frame = readings(np.ones((end - start) // pd.Timedelta("5min")), start=start)
    hours = hourly_from_readings(frame, registry())
    assert len(hours) == count
    assert hours["n"].eq(12).all()
    assert hours["start"].is_unique
