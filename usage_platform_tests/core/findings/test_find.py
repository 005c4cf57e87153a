"""Each lasting fault is found, once and under one id; a healthy meter has no finding."""

from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.evaluation.finding_rates import (
    CALENDAR,
    START,
    healthy_building,
    is_found,
    quarters,
)
from usage_platform.core.findings.find import find
from usage_platform.core.findings.finding import FindingKind
from usage_platform.core.generator.lasting_faults import faulty_building
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import NO_READINGS, Series
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.needed_hours import NeededHours
from usage_platform.core.time.units import NS_AN_HOUR, instants_of

QUARTERLY = Meter("m", "America/New_York", 15)
APRIL, JULY = date(2024, 4, 1), date(2024, 7, 1)
DAYS = (JULY - START).days
PRICES = np.where(np.arange(24) < 6, 0.1, 0.3)


def series_of(frame) -> Series:
    return Series(instants_of(frame.loc[:, "ts"]), frame["value"].to_numpy(np.float64))


@cache
def faulty(kind: str, begin: date, seed: int = 0) -> Series:
    return series_of(faulty_building(kind, QUARTERLY, START, DAYS, begin, seed))


def midnight(day: date) -> int:
    return local_day_bounds(day, QUARTERLY.timezone)[0].value


def found(kind: str, series: Series, day: date = JULY, **options):
    findings = find(series, QUARTERLY, CALENDAR, midnight(day), **options)
    return [one for one in findings if one.kind == kind]


@pytest.fixture(scope="module")
def healthy() -> Series:
    return series_of(healthy_building(QUARTERLY, DAYS, 0))


@pytest.mark.parametrize("kind", list(FindingKind))
def test_each_fault_is_found(kind):
    assert is_found(kind, QUARTERLY, 1)


def test_a_healthy_meter_has_no_finding_in_any_quarter(healthy):
    of_quarters = quarters(healthy, QUARTERLY, CALENDAR)
    assert [one.first for one in of_quarters] == [
        *(date(2023, month, 1) for month in (4, 7, 10)),
        *(date(2024, month, 1) for month in (1, 4)),
    ]
    assert not [finding for one in of_quarters for finding in one.findings]


@pytest.mark.parametrize(
    ("kind", "begin"),
    [
        ("base_load_increase", date(2024, 4, 15)),
        ("early_start", date(2024, 4, 15)),
        ("holiday_operation", date(2024, 5, 26)),
        ("flatline", date(2024, 6, 3)),
        ("silent", date(2024, 6, 20)),
    ],
)
def test_the_next_night_it_is_the_same_finding(kind, begin):
    series = faulty(kind, begin)
    nights = [found(kind, series, JULY - timedelta(days=back)) for back in (3, 2, 1, 0)]
    ids = {tuple(one.id for one in night) for night in nights}
    assert len(ids) == 1
    assert ids != {()}


def test_in_the_next_quarter_an_increase_is_another_finding():
    series = faulty("base_load_increase", date(2024, 1, 15))
    march, july = found("base_load_increase", series, APRIL), found("base_load_increase", series)
    assert len(march) == len(july) == 1
    assert march[0].id != july[0].id


def test_what_comes_after_the_moment_changes_nothing():
    series = faulty("base_load_increase", date(2024, 4, 15))
    day = date(2024, 6, 10)
    wild = np.where(series.instants >= midnight(day), 1e6, series.values)
    before = find(series, QUARTERLY, CALENDAR, midnight(day))
    assert before
    assert find(series.until(midnight(day)), QUARTERLY, CALENDAR, midnight(day)) == before
    changed = Series(series.instants, wild)
    assert find(changed, QUARTERLY, CALENDAR, midnight(day)) == before


def test_an_increase_of_the_base_load_has_its_energy_and_its_cost():
    series = faulty("base_load_increase", date(2024, 4, 15))
    (one,) = found("base_load_increase", series, prices=PRICES)
    assert one.kwh == pytest.approx(72 * 28 * 24, rel=0.15)
    assert one.kwh_per_year == pytest.approx(72 * 8760, rel=0.15)
    assert one.cost_per_year == pytest.approx(one.kwh_per_year * PRICES.mean(), rel=1e-6)
    assert one.end == local_day_bounds(date(2024, 6, 30), QUARTERLY.timezone)[1]
    assert one.sentence.endswith("in the same weeks a year before.")
    (without,) = found("base_load_increase", series)
    assert without.cost_per_year is None


def test_an_early_start_costs_the_price_of_its_hours():
    (one,) = found("early_start", faulty("early_start", date(2024, 4, 15)), prices=PRICES)
    assert one.cost_per_year == pytest.approx(0.1 * one.kwh_per_year)
    assert "starts at 04:30, 60 min earlier than usual (05:30)" in one.sentence


def test_with_needed_hours_what_was_always_too_early_is_found(healthy):
    hours = NeededHours(7 * 60, 22 * 60)
    schedule = (hours, NeededHours(390, 1080), NeededHours(570, 1050))
    (one,) = found("early_start", healthy, schedule=schedule)
    assert "90 min earlier than needed (07:00)" in one.sentence
    assert not found("late_stop", healthy, schedule=schedule)


def test_energy_outside_the_needed_hours_is_found_without_a_year_before():
    closed = (NeededHours(12 * 60, 16 * 60), None, None)
    year = series_of(healthy_building(QUARTERLY, 80, 0))
    (one,) = found("out_of_hours", year, START + timedelta(days=80), schedule=closed)
    assert one.kwh > 0
    assert "outside the hours of operation" in one.sentence


def test_each_holiday_is_a_finding_of_its_own():
    findings = found("holiday_operation", faulty("holiday_operation", date(2024, 5, 20)))
    assert [one.sentence[15:32] for one in findings] == ["Monday 2024-05-27", "Wednesday 2024-06"]
    assert len({one.id for one in findings}) == 2


def test_after_a_flatline_or_silence_the_time_is_exact():
    (flat,) = found("flatline", faulty("flatline", date(2024, 6, 3)))
    assert (flat.end - flat.start).total_seconds() / 3600 == pytest.approx(18, abs=0.5)
    (silent,) = found("silent", faulty("silent", date(2024, 6, 20)))
    assert silent.start.tz_convert(QUARTERLY.zone).isoformat() == "2024-06-20T12:00:00-04:00"
    assert silent.end.value == midnight(JULY)


def test_a_single_wrong_reading_is_no_finding_of_a_base_load_or_a_start(healthy):
    values = healthy.values.copy()
    values[-500::97] = 0.0
    kinds = {
        one.kind
        for one in find(Series(healthy.instants, values), QUARTERLY, CALENDAR, midnight(JULY))
    }
    assert kinds <= {FindingKind.FLATLINE}


def test_a_meter_with_readings_today_is_not_silent(healthy):
    day = date(2024, 6, 12)
    there = (healthy.instants < midnight(day) - 2 * NS_AN_HOUR) | (healthy.instants > midnight(day))
    series = Series(healthy.instants[there], healthy.values[there])
    findings = find(series, QUARTERLY, CALENDAR, midnight(day) + 23 * NS_AN_HOUR)
    assert FindingKind.SILENT not in {one.kind for one in findings}


def test_a_load_that_is_off_every_night_is_no_flatline(healthy):
    local = pd.DatetimeIndex(healthy.instants).tz_localize("UTC").tz_convert(QUARTERLY.zone)
    is_off = (local.hour >= 19) | (local.hour < 9) | (local.weekday >= 5)
    series = Series(healthy.instants, np.where(is_off, 0.0, healthy.values))
    assert not found("flatline", series)


def test_a_half_hour_zone_has_its_own_days():
    delhi = Meter("d", "Asia/Kolkata", 30)
    frame = faulty_building("base_load_increase", delhi, START, DAYS, date(2024, 4, 15), 0)
    as_of = local_day_bounds(JULY, delhi.timezone)[0]
    (one,) = find(series_of(frame), delhi, CALENDAR, as_of.value)
    assert one.kind is FindingKind.BASE_LOAD_INCREASE
    assert one.end == as_of == pd.Timestamp("2024-06-30 18:30", tz="UTC")


@pytest.mark.parametrize("days", [1, 10, 40])
def test_a_new_meter_has_no_finding(healthy, days):
    begin = START + timedelta(days=days)
    assert find(healthy.until(midnight(begin)), QUARTERLY, CALENDAR, midnight(begin)) == []
    assert find(NO_READINGS, QUARTERLY, CALENDAR, midnight(begin)) == []
    unknown = Series(healthy.instants, np.full(len(healthy.values), np.nan))
    assert find(unknown, QUARTERLY, CALENDAR, midnight(begin)) == []


def test_prices_that_are_not_24_are_refused_in_one_line():
    series = faulty("base_load_increase", date(2024, 4, 15))
    with pytest.raises(ValueError, match=r"prices: got 7; expected 24, one for each hour"):
        find(series, QUARTERLY, CALENDAR, midnight(JULY), prices=np.ones(7))


@pytest.mark.parametrize(("start", "stop"), [(-1, 60), (60, 60), (0, 1441)])
def test_needed_hours_that_are_none_are_refused(start, stop):
    with pytest.raises(ValueError, match=f"needed hours {start} to {stop}: expected minutes"):
        NeededHours(start, stop)


def test_hours_of_a_meter_half_an_hour_off_utc_are_those_of_its_clock():
    meter = Meter("m", "Asia/Kolkata", 60)
    hours = pd.date_range("2023-01-01", "2024-06-01", freq="h", tz=meter.timezone)[:-1]
    values = np.where((hours.hour >= 8) & (hours.hour < 18) & (hours.dayofweek < 5), 30.0, 10.0)
    values = values + np.asarray(hours.hour) / 100 + np.asarray(hours.day) / 1000
    values[hours == pd.Timestamp("2024-05-20 14:00", tz=meter.timezone)] = 90.0
    values[(hours >= "2024-05-30 06:00") & (hours < "2024-05-31 00:00")] = 12.0
    series = Series(hours.tz_convert("UTC").as_unit("ns").asi8, values)
    needed = (NeededHours(8 * 60, 18 * 60), None, None)
    now = int(series.instants[-1]) + NS_AN_HOUR
    by_kind = {one.kind: one for one in find(series, meter, CALENDAR, now, schedule=needed)}
    assert "on 2024-05-20 at 14:00" in by_kind[FindingKind.NEW_HIGHEST_PEAK].sentence
    assert by_kind[FindingKind.FLATLINE].start == pd.Timestamp("2024-05-30 06:00+05:30")
    assert by_kind[FindingKind.FLATLINE].end == pd.Timestamp("2024-05-31 00:00+05:30")
    assert FindingKind.EARLY_START not in by_kind


def test_a_meter_that_was_off_for_a_third_of_its_history_may_be_stuck():
    series = faulty("flatline", date(2024, 6, 3))
    off = (series.instants >= midnight(date(2023, 2, 1))) & (
        series.instants < midnight(date(2023, 10, 1))
    )
    stopped = Series(series.instants, np.where(off, 0.0, series.values))
    assert found("flatline", stopped) == found("flatline", series) != []
