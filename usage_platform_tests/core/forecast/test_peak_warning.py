"""When a day begins with a warning of a new peak, and what becomes of it."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.core.anomalies.message_parsing import parse_episode
from usage_platform.core.anomalies.peak_messages import (
    closed_warning,
    opened_warning,
    parse_warning,
    warning_name,
)
from usage_platform.core.forecast.peak_warning import (
    WARNED_FROM,
    WORKING_DAYS_BEFORE,
    peak_warning,
    working_days_before,
)
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.parsing import parse_tariffs
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_AN_HOUR
from usage_platform_tests.core.forecast.made_history import BOSTON, HOLIDAYS, at, healthy

DAY = date(2024, 4, 17)
DELHI = Meter("d", "Asia/Kolkata", 30)
TARIFF = """
tariffs:
  - name: campus
    meters: all
    unit: USD
    versions:
      - valid_from: 2023-01-01
        energy: [{name: energy, price: 0.25}]
        demand: [{name: demand, price: 10, window_minutes: 60, minimum_kw: MINIMUM}]
"""


def tariff(minimum=0):
    text = TARIFF.replace("MINIMUM", str(minimum))
    return parse_tariffs(yaml_texts(text), "tariffs.yaml").money("m")


def flattened(level, series=None, meter=BOSTON, month="2024-04-01"):
    """Readings whose month has not been higher than a power so far: its days exceed it."""
    series = series or healthy()
    low = np.where(series.instants >= at(month, meter), np.minimum(series.values, level), 0)
    return Series(series.instants, np.where(low > 0, low, series.values))


def warned(series, day=DAY, of=None, meter=BOSTON):
    return peak_warning(series, meter, HOLIDAYS, day, of)


def test_a_day_that_is_likely_to_exceed_the_months_peak_has_a_warning_and_another_has_none():
    found = warned(flattened(700.0))
    assert found.peak_kw == 700
    assert found.probability >= WARNED_FROM
    assert found.low_kw <= found.expected_kw <= found.high_kw
    assert found.start <= found.expected_at < found.end
    glitch = np.where(healthy().instants == at("2024-04-03 12:00"), 9000.0, healthy().values)
    assert warned(Series(healthy().instants, glitch)) is None


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 99))
def test_readings_of_the_day_and_after_it_change_nothing(seed):
    series = flattened(700.0)
    noise = np.random.default_rng(seed).uniform(0, 1e6, len(series.values))
    later = np.where(series.instants >= at("2024-04-17"), noise, series.values)
    assert warned(Series(series.instants, later)) == warned(series)


def test_the_first_working_days_of_a_month_have_no_warning():
    no_warning = [
        day for day in range(1, 10) if warned(flattened(300.0), date(2024, 4, day)) is None
    ]
    # Monday and Tuesday show a level.
    assert no_warning == [1, 2]
    assert WORKING_DAYS_BEFORE == 2


def test_working_days_are_those_of_the_calendar():
    before = [working_days_before(date(2024, 7, day), Calendar("US", "MA")) for day in (1, 4, 5, 8)]
    assert before == [0, 3, 3, 4]


def test_the_cost_is_what_the_peak_adds_to_the_demand_charge():
    series = flattened(700.0)
    found = warned(series, of=tariff())
    assert found.cost == pytest.approx(10 * (found.expected_kw - 700), abs=0.02)
    assert found.currency == "USD"
    assert warned(series).cost is None


def test_a_peak_that_costs_nothing_gives_no_warning():
    series = flattened(700.0)
    high = warned(series).high_kw
    assert warned(series, of=tariff(minimum=round(high) + 1)) is None
    assert warned(series, of=tariff(minimum=round(high) - 1)) is not None


@pytest.mark.parametrize(
    ("day", "hours", "name"),
    [
        ("2024-03-10", 23, "2024-03-10T00:00-05:00"),
        ("2023-11-05", 25, "2023-11-05T00:00-04:00"),
        ("2024-03-11", 24, "2024-03-11T00:00-04:00"),
    ],
)
def test_a_day_on_which_the_clocks_change_has_its_hours(day, hours, name):
    local = date.fromisoformat(day)
    found = warned(flattened(200.0, month=f"{day[:7]}-01"), local)
    assert found.end - found.start == hours * NS_AN_HOUR
    opened = parse_episode(opened_warning(found, BOSTON).value)
    assert opened["episode"] == warning_name(found.start, BOSTON) == name
    # All of its readings are there: the day is over. Without the last one it is not known.
    whole = Series(np.arange(found.start, found.end, NS_AN_HOUR), np.full(hours, 1.0))
    closed = closed_warning(opened, whole, BOSTON, is_over=False)
    assert parse_episode(closed.value)["outcome"] == "held"
    part = whole.until(int(whole.instants[-1]))
    assert closed_warning(opened, part, BOSTON, is_over=False) is None
    closed = closed_warning(opened, part, BOSTON, is_over=True)
    assert parse_episode(closed.value)["outcome"] == "unknown"


@pytest.mark.parametrize(
    "end", ["2261-01-01T00:00:00Z", "2024-03-12T23:00:00Z", "1970-01-01T00:00Z"]
)
def test_a_message_whose_span_is_no_day_is_no_warning(end):
    found = warned(flattened(200.0, month="2024-03-01"), date(2024, 3, 11))
    message = json.loads(opened_warning(found, BOSTON).value)
    assert parse_warning(json.dumps(message).encode()) == message
    assert parse_warning(json.dumps({**message, "end": end}).encode()) is None


def test_tomorrow_begins_at_the_midnight_of_a_half_hour_zone():
    series = healthy(DELHI, date(2023, 6, 1), 200)
    day = date(2023, 12, 12)
    low = flattened(300.0, series, DELHI, "2023-12-01")
    found = peak_warning(low, DELHI, HOLIDAYS, day, None)
    assert pd.Timestamp(found.start, tz="UTC") == pd.Timestamp("2023-12-11 18:30", tz="UTC")
    assert warning_name(found.start, DELHI) == "2023-12-12T00:00+05:30"
    # A reading of half an hour before belongs to the day before.
    before = np.where(low.instants == found.start - NS_AN_HOUR // 2, 310.0, low.values)
    assert peak_warning(Series(low.instants, before), DELHI, HOLIDAYS, day, None).peak_kw == 310.0
    after = np.where(low.instants == found.start, 310.0, low.values)
    assert peak_warning(Series(low.instants, after), DELHI, HOLIDAYS, day, None) == found


def test_a_warning_ends_with_the_first_reading_above_the_peak():
    found = warned(flattened(700.0))
    event = opened_warning(found, BOSTON)
    assert event == opened_warning(found, BOSTON)
    opened = parse_episode(event.value)
    assert (opened["kind"], opened["status"]) == ("peak_warning", "opened")
    start, _ = (one.value for one in local_day_bounds(DAY, BOSTON.timezone))
    day = Series(start + np.arange(3) * NS_AN_HOUR, np.array([700.0, 701.0, 900.0]))
    assert closed_warning(opened, day.until(int(day.instants[1])), BOSTON, is_over=False) is None
    closed = parse_episode(closed_warning(opened, day, BOSTON, is_over=False).value)
    assert (closed["outcome"], closed["highest_kw"]) == ("exceeded", 701.0)
    assert pd.Timestamp(closed["end"]) == pd.Timestamp("2024-04-17T02:00-04:00")
    assert closed["episode"] == opened["episode"]
