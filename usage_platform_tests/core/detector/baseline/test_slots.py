import pandas as pd
import pytest

from usage_platform.core.detector.baseline.slots import slot_label, slots_of, slots_per_week
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import local_day_bounds

LIBRARY = Meter()
ZONES = ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]


def instants(start, end, minutes=5):
    times = pd.date_range(start, end, freq=f"{minutes}min", inclusive="left", unit="ns")
    return times.to_series(index=range(100, 100 + len(times)))


def slots_of_day(day, meter=LIBRARY):
    bounds = local_day_bounds(pd.Timestamp(day).date(), meter.timezone)
    return slots_of(instants(*bounds, meter.interval_minutes), meter)


def label(slots):
    return [slot_label(int(slot), LIBRARY) for slot in slots]


@pytest.mark.parametrize(("minutes", "count"), [(1, 10_080), (5, 2_016), (15, 672), (60, 168)])
def test_a_week_has_a_slot_for_each_interval(minutes, count):
    assert slots_per_week(Meter(interval_minutes=minutes)) == count


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("minutes", [5, 15, 30])
def test_a_normal_week_gives_each_slot_once_from_monday_midnight_on(zone, minutes):
    meter = Meter("m", zone, minutes)
    start = pd.Timestamp("2024-07-01", tz=zone).tz_convert("UTC")
    slots = slots_of(instants(start, start + pd.Timedelta(days=7), minutes), meter)
    assert slots.tolist() == list(range(slots_per_week(meter)))


def test_slots_keep_the_index_of_the_instants_and_are_integers():
    times = instants("2024-07-01T00:00Z", "2024-07-01T01:00Z")
    slots = slots_of(times, LIBRARY)
    assert slots.index.equals(times.index)
    assert slots.dtype == "int64"
    assert slots_of(times.iloc[:0], LIBRARY).dtype == "int64"


def test_the_day_the_clock_goes_forward_skips_the_slots_of_one_hour():
    slots = slots_of_day("2024-03-10")
    missing = sorted(set(slots_of_day("2024-03-17")) - set(slots))
    assert slots.is_unique
    assert label(missing) == [f"Sun 02:{m:02d}" for m in range(0, 60, 5)]


def test_the_day_the_clock_goes_back_gives_the_slots_of_one_hour_twice():
    slots = slots_of_day("2024-11-03")
    twice = slots[slots.duplicated()]
    assert set(slots) == set(slots_of_day("2024-11-10"))
    assert label(twice) == [f"Sun 01:{m:02d}" for m in range(0, 60, 5)]


def test_the_same_local_time_is_the_same_slot_in_winter_and_summer():
    local = pd.Series(pd.to_datetime(["2024-01-09 13:05", "2024-07-09 13:05"]))
    times = local.dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    assert label(slots_of(times, LIBRARY)) == ["Tue 13:05", "Tue 13:05"]


def test_an_instant_within_an_interval_belongs_to_its_slot():
    start = pd.Timestamp("2024-07-02T17:05:00Z")
    times = pd.Series([start, start + pd.Timedelta(minutes=5) - pd.Timedelta(1)])
    assert label(slots_of(times, LIBRARY)) == ["Tue 13:05", "Tue 13:05"]


def test_labels_tell_the_first_and_the_last_slot_of_a_week():
    assert label([0, 2_015]) == ["Mon 00:00", "Sun 23:55"]
    assert slot_label(167, Meter(interval_minutes=60)) == "Sun 23:00"
