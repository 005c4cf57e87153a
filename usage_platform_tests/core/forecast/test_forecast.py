"""A forecast knows nothing of the future, and says what it knows of the day and the month."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.forecast.forecast import forecast
from usage_platform.core.load.load_shape import load_shape
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import NO_READINGS, Series
from usage_platform.core.time.units import NS_A_DAY, NS_AN_HOUR
from usage_platform_tests.core.forecast.made_history import BOSTON, HOLIDAYS, at, healthy

MIDNIGHT = at("2024-04-16")


def same(one, other) -> bool:
    arrays = ("instants", "power", "low", "high")
    rest = ("used_kwh", "month_energy", "peak_kw", "peak_probability")
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in arrays) and all(
        getattr(one, n) == getattr(other, n) for n in rest
    )


@settings(max_examples=4, deadline=None)
@given(minutes=st.integers(0, 3 * 1440), seed=st.integers(0, 99))
def test_readings_after_the_moment_change_nothing(minutes, seed):
    series = healthy()
    made_at = MIDNIGHT + minutes * 60 * 10**9
    known = series.until(made_at - NS_AN_HOUR + 1)
    rest = series.since(made_at - NS_AN_HOUR + 1)
    noise = np.random.default_rng(seed).uniform(0, 1e6, len(rest.values))
    changed = Series(series.instants, np.concatenate([known.values, noise]))
    of_known = forecast(known, BOSTON, HOLIDAYS, made_at)
    assert of_known is not None
    assert same(of_known, forecast(series, BOSTON, HOLIDAYS, made_at))
    assert same(of_known, forecast(changed, BOSTON, HOLIDAYS, made_at))


def test_a_reading_whose_interval_is_not_over_is_not_known():
    series = healthy()
    made_at = MIDNIGHT + NS_AN_HOUR // 2
    values = np.where(series.instants == MIDNIGHT, 9999.0, series.values)
    found = forecast(Series(series.instants, values), BOSTON, HOLIDAYS, made_at)
    assert found.peak_kw < 9999
    assert found.instants[0] == MIDNIGHT + NS_AN_HOUR


def test_the_next_day_is_close_and_within_its_range():
    series = healthy()
    found = forecast(series, BOSTON, HOLIDAYS, MIDNIGHT)
    actual = series.since(MIDNIGHT).until(MIDNIGHT + NS_A_DAY).values
    assert np.abs(found.power - actual).mean() < 0.06 * actual.mean()
    assert (found.low < found.power).all()
    assert (found.power < found.high).all()
    assert ((actual >= found.low) & (actual <= found.high)).mean() > 0.7


def test_a_rest_day_is_forecast_as_one():
    monday = forecast(healthy(), BOSTON, HOLIDAYS, at("2024-04-08"))
    patriots_day = forecast(healthy(), BOSTON, HOLIDAYS, at("2024-04-15"))
    assert patriots_day.power.max() < 0.8 * monday.power.max()


@pytest.mark.parametrize(("day", "hours"), [("2024-03-10", 23), ("2023-11-05", 25)])
def test_the_day_on_which_the_clocks_change_has_its_hours(day, hours):
    found = forecast(healthy(), BOSTON, HOLIDAYS, at(day))
    assert len(found.instants) == hours
    assert found.instants[-1] + NS_AN_HOUR == at(day) + hours * NS_AN_HOUR
    assert np.isfinite(found.power).all()
    assert np.isfinite(found.low).all()


@pytest.mark.parametrize("hour", [4, 5, 6, 7])
def test_a_forecast_made_within_the_autumn_hour_has_each_hour_once(hour):
    made_at = pd.Timestamp(f"2023-11-05 0{hour}:00", tz="UTC").value
    found = forecast(healthy(), BOSTON, HOLIDAYS, made_at)
    assert found.instants[0] == made_at
    assert np.array_equal(np.diff(found.instants), np.full(len(found.instants) - 1, NS_AN_HOUR))
    assert len(found.instants) in (24, 25)
    assert np.isfinite(found.power).all()


def test_a_half_hour_zone_has_its_own_midnight():
    delhi = Meter("d", "Asia/Kolkata", 30)
    series = healthy(delhi, date(2023, 6, 1), 200)
    found = forecast(series, delhi, HOLIDAYS, at("2023-12-12", delhi))
    assert pd.Timestamp(found.instants[0], tz="UTC") == pd.Timestamp("2023-12-11 18:30", tz="UTC")
    actual = series.since(int(found.instants[0])).values[:48]
    assert np.corrcoef(found.power, actual)[0, 1] > 0.98


def test_the_months_energy_is_what_was_used_and_what_comes():
    series = healthy()
    found = forecast(series, BOSTON, HOLIDAYS, MIDNIGHT)
    april = series.since(at("2024-04-01")).until(at("2024-05-01"))
    so_far = april.until(MIDNIGHT)
    assert found.month.label == "2024-04"
    assert found.used_kwh == pytest.approx(so_far.values.sum())
    assert found.month_energy.kwh == pytest.approx(april.values.sum(), rel=0.03)
    assert found.used_kwh < found.month_energy.low_kwh < found.month_energy.kwh
    assert found.month_energy.kwh < found.month_energy.high_kwh


def test_at_the_end_of_the_month_little_is_left_to_know():
    last = forecast(healthy(), BOSTON, HOLIDAYS, at("2024-04-30 20:00"))
    first = forecast(healthy(), BOSTON, HOLIDAYS, at("2024-04-02"))
    width = [one.month_energy.high_kwh - one.month_energy.low_kwh for one in (last, first)]
    assert 0 < width[0] < width[1] / 10
    assert last.month_energy.kwh == pytest.approx(last.used_kwh, rel=0.02)


def test_the_peak_so_far_is_the_platforms_peak_and_a_higher_one_is_less_likely():
    series, midnight = healthy(), at("2024-04-02")
    so_far = series.since(at("2024-04-01")).until(midnight)
    shape = load_shape(PowerSeries.unscored(BOSTON, so_far.instants, so_far.values))
    found = forecast(series, BOSTON, HOLIDAYS, midnight)
    assert found.peak_kw == shape.peak_kw
    glitch = np.where(series.instants == at("2024-04-01 12:00"), 5000.0, series.values)
    after = forecast(Series(series.instants, glitch), BOSTON, HOLIDAYS, midnight)
    assert after.peak_kw == 5000.0
    assert 0 < after.peak_probability < 0.05
    low = np.where(series.instants >= at("2024-04-01"), 300.0, series.values)
    before = forecast(Series(series.instants, low), BOSTON, HOLIDAYS, midnight)
    assert before.peak_kw == 300.0
    assert 0.9 < before.peak_probability < 1


def test_on_the_first_of_a_month_there_is_no_peak_to_exceed():
    found = forecast(healthy(), BOSTON, HOLIDAYS, at("2024-04-01"))
    assert found.peak_kw is None
    assert found.peak_probability is None
    assert found.used_kwh == 0.0


def test_with_too_little_history_there_is_no_forecast():
    series = healthy()
    assert forecast(NO_READINGS, BOSTON, HOLIDAYS, MIDNIGHT) is None
    begin = int(series.instants[0])
    assert forecast(series, BOSTON, HOLIDAYS, begin + 50 * NS_A_DAY) is None
    assert forecast(series, BOSTON, HOLIDAYS, begin + 70 * NS_A_DAY) is not None


def test_a_gap_before_the_moment_is_survived():
    series = healthy()
    there = (series.instants < MIDNIGHT - 9 * NS_A_DAY) | (series.instants >= MIDNIGHT)
    found = forecast(
        Series(series.instants[there], series.values[there]), BOSTON, HOLIDAYS, MIDNIGHT
    )
    assert np.isfinite(found.power).all()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns"])
def test_the_hours_of_a_forecast_are_those_of_the_meters_clock(zone):
    meter = Meter("m", zone, 60)
    midnight = at("2024-04-16", meter)
    instants = midnight + NS_AN_HOUR * np.arange(-24 * 60, 0)
    hour_of_day = np.arange(-24 * 60, 0) % 24
    is_high = (hour_of_day >= 8) & (hour_of_day < 18)
    series = Series(instants, np.where(is_high, 300.0, 100.0))
    found = forecast(series, meter, HOLIDAYS, midnight)
    assert found.instants[0] == midnight
    np.testing.assert_array_equal(np.flatnonzero(found.power > 200), np.arange(8, 18))


def test_a_net_meters_month_moves_with_a_constant_and_its_range_keeps_its_width():
    net = replace(BOSTON, sign=Sign.NET)
    series = healthy()
    base = forecast(series, net, HOLIDAYS, MIDNIGHT).month_energy
    mean = series.values.mean()
    for less in (mean, 2 * mean):  # Sums near 0, and below it.
        shifted = Series(series.instants, series.values - less)
        found = forecast(shifted, net, HOLIDAYS, MIDNIGHT).month_energy
        hours = 30 * 24
        assert found.kwh == pytest.approx(base.kwh - less * hours, abs=0.5)
        assert found.low_kwh == pytest.approx(base.low_kwh - less * hours, abs=0.5)
        assert found.high_kwh == pytest.approx(base.high_kwh - less * hours, abs=0.5)
        assert found.low_kwh < found.kwh < found.high_kwh
