from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.generator.building import (
    BuildingProfile,
    building_load,
    expected_instants,
    round_to_step,
)
from usage_platform.core.meters import Meter
from usage_platform.core.time.opening_hours import OpenHours
from usage_platform_tests.repository import SHARED_DATA

LIBRARY = Meter()
LIBRARY_PROFILE = BuildingProfile()
COMPLETE = replace(LIBRARY_PROFILE, lost_share=0.0, gap_hours=(0.0, 0.0))
TUESDAYS = SHARED_DATA / "bpl_seven_tuesdays.csv"


def load(start: date, days: int, seed: int = 1, profile=LIBRARY_PROFILE, meter=LIBRARY):
    frame = building_load(meter, start, days, profile, np.random.default_rng(seed))
    local = frame["ts"].dt.tz_convert(meter.timezone)
    return frame.assign(day=local.dt.date, hour=local.dt.hour, weekday=local.dt.weekday)


def longest_run(values: pd.Series) -> int:
    return int((values != values.shift()).cumsum().value_counts().max())


@pytest.fixture(scope="module")
def year():
    return load(date(2023, 1, 1), 365)


@pytest.fixture(scope="module")
def ordinary(year):
    """The year's peak by day, without holidays that fell on working days."""
    peaks = year.groupby("day")["value"].max()
    closed = [date(2023, 1, 2), date(2023, 7, 4), date(2023, 12, 25)]
    return peaks.drop(closed)


def test_a_year_expects_105120_instants():
    instants = expected_instants(LIBRARY, date(2023, 1, 1), 365)
    assert len(instants) == 105_120
    assert instants.is_unique
    assert instants.dtype == "datetime64[ns, UTC]"


def test_a_year_without_losses_is_complete():
    assert len(load(date(2023, 1, 1), 365, profile=COMPLETE)) == 105_120


def test_a_year_loses_some_single_readings_and_has_one_longer_gap_each_half_year(year):
    holes = year["ts"].diff().dropna() / pd.Timedelta(minutes=5)
    assert ((holes > 1) & (holes <= 3)).sum() in range(15, 80)
    long = year.loc[holes[holes > 60].index, "ts"]
    assert len(long) == 2
    assert long.iloc[0] < pd.Timestamp("2023-07-06", tz="UTC") < long.iloc[1]
    assert holes.max() <= 72 * 12 + 3


@pytest.mark.parametrize(
    ("day", "hours"), [((2024, 3, 10), 23), ((2024, 11, 3), 25), ((2024, 3, 11), 24)]
)
def test_a_local_day_has_its_23_24_or_25_hours(day, hours):
    frame = load(date(*day), 1, profile=COMPLETE)
    assert len(frame) == hours * 12
    assert frame["ts"].diff().dropna().eq(pd.Timedelta(minutes=5)).all()


@pytest.mark.parametrize("day", [date(2024, 3, 8), date(2024, 3, 11), date(2024, 11, 4)])
def test_doors_open_at_the_same_local_clock_before_and_after_a_change(day):
    frame = load(day, 1, profile=COMPLETE)
    jump = frame.loc[frame["value"].diff().idxmax(), "ts"].tz_convert(LIBRARY.timezone)
    assert (jump.hour, jump.minute) in [(5, 30), (8, 15)]


def test_readings_are_multiples_of_the_step_in_one_decimal(year):
    values = year["value"].to_numpy()
    assert np.array_equal(values, np.round(np.rint(values / 7.2) * 7.2, 1))
    assert values.min() > 430
    assert values.max() < 1_550


def test_nights_lie_at_the_base_load(year):
    nights = year[year["hour"].between(1, 4)].groupby("day")["value"].median()
    assert nights.median() == pytest.approx(490, abs=15)
    assert nights.between(460, 540).all()


def test_weekday_peaks_lie_between_1100_and_1470_over_the_seasons(ordinary):
    days = pd.to_datetime(ordinary.index)
    weekdays = ordinary[days.weekday < 5]
    by_month = weekdays.groupby(pd.to_datetime(weekdays.index).month).median()
    assert by_month.between(1_100, 1_470).all()
    assert by_month[[7, 8]].min() > by_month[[1, 2, 12]].max() + 100
    assert weekdays.between(1_060, 1_500).mean() > 0.95


def test_saturdays_are_lower_than_weekdays_and_sundays_lower_still(ordinary):
    weekday = pd.Index(pd.to_datetime(ordinary.index).weekday)
    medians = ordinary.groupby(weekday).median()
    assert medians[6] < 0.8 * medians[5]
    assert medians[5] < medians[:5].min()


@pytest.mark.parametrize("holiday", [date(2023, 7, 4), date(2023, 12, 25), date(2023, 4, 17)])
def test_a_holiday_looks_like_the_sunday_before_it(holiday):
    frame = load(holiday - pd.Timedelta(days=8), 10, profile=COMPLETE)
    means = frame.groupby("day")["value"].mean()
    sundays = means[frame.groupby("day")["weekday"].first() == 6]
    assert means[holiday] == pytest.approx(sundays.mean(), rel=0.05)


def test_equal_readings_seldom_follow_each_other(year):
    same = year["value"].diff().eq(0)
    assert 0.1 < same.mean() < 0.25
    assert longest_run(year["value"]) <= 10
    weeks = year.groupby(year["ts"].dt.isocalendar().week)["value"].apply(longest_run)
    assert weeks.median() <= 6


def test_a_seed_gives_the_same_readings_and_another_seed_others():
    first, again, other = (load(date(2024, 5, 1), 7, seed)["value"] for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    days=st.integers(1, 30),
    more=st.integers(1, 200),
    zone=st.sampled_from(["America/New_York", "Europe/Rome", "Asia/Kathmandu", "UTC"]),
    interval=st.sampled_from([5, 15, 60]),
)
def test_a_longer_span_begins_with_the_shorter_one(seed, days, more, zone, interval):
    meter = Meter("m", zone, interval)
    short = load(date(2024, 3, 1), days, seed, meter=meter)
    long = load(date(2024, 3, 1), days + more, seed, meter=meter)
    assert short.equals(long.iloc[: len(short)])


def test_a_scaled_building_is_smaller_and_opens_later():
    small = COMPLETE.scaled(0.5, 45, 3.6)
    one, other = (load(date(2024, 3, 5), 1, 1, p) for p in (COMPLETE, small))
    assert other["value"].mean() == pytest.approx(one["value"].mean() / 2, rel=0.05)
    starts = [f.loc[f["value"].diff().idxmax(), "ts"] for f in (one, other)]
    assert starts[1] - starts[0] == pd.Timedelta(minutes=45)


def test_rounding_to_a_step_never_goes_below_zero_and_leaves_no_dust():
    assert round_to_step(np.array([-5.0, 3.5, 518.5]), 7.2).tolist() == [0.0, 0.0, 518.4]


def test_no_days_are_refused():
    with pytest.raises(ValueError, match="days: expected 1 or more, got 0"):
        load(date(2024, 1, 1), 0)


def test_opening_hours_without_room_are_refused():
    with pytest.raises(ValueError, match="opening hours 330, 340, 1320"):
        OpenHours(330, 340, 1320, 1.0)


@pytest.mark.skipif(not TUESDAYS.exists(), reason="shared/data/bpl_seven_tuesdays.csv is absent")
def test_generated_tuesdays_resemble_the_real_ones():
    rows = pd.read_csv(TUESDAYS)
    start = pd.to_datetime(rows["usage_datetime_start_eastern_time"])
    # On the last Tuesday the building had been left on over night.
    healthy = start < "2024-04-16"
    real = rows["usage_kw"][healthy].groupby(start[healthy].dt.hour).median()
    frame = load(date(2024, 3, 5), 42)
    made = frame[frame["weekday"] == 1].groupby("hour")["value"].median()
    assert (made / real - 1).abs().max() < 0.06
