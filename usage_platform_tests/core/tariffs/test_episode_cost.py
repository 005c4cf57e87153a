"""What an episode costs and emits."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from usage_platform.core.meters import Meter
from usage_platform.core.tariffs.episode_cost import cost_of_episode
from usage_platform_tests.core.tariffs.made_bills import readings, tariff_of

METER = Meter("m", "Europe/Rome", 30)
# From Tuesday 4 June, 19:00, for two hours: 30 kW in place of 10 kW.
EPISODE = {"kw": "30", "from": "2024-06-04T19:00+02:00", "until": "2024-06-04T21:00+02:00"}
SERIES = readings(METER, date(2024, 6, 1), date(2024, 7, 31), [{"kw": "10"}, EPISODE])
ANOMALOUS = pd.date_range("2024-06-04T19:00+02:00", periods=4, freq="30min").tz_convert("UTC").asi8
DAY_AND_NIGHT = [
    {"name": "day", "hours": ["08:00-20:00"], "price": "0.30"},
    {"name": "night", "price": "0.20"},
]


def tariff(unit="EUR", **fields):
    version = {"valid_from": "2024-01-01", "energy": DAY_AND_NIGHT, **fields}
    return tariff_of({"name": "t", "meters": "all", "unit": unit, "versions": [version]})


def cost(prices, series=SERIES, anomalous=ANOMALOUS, expected=10.0):
    return cost_of_episode(prices, METER, series, anomalous, np.full(len(anomalous), expected))


def test_the_excess_is_priced_by_its_hours_and_the_demand_that_it_set():
    charge = {"name": "demand", "price": "12.00", "window_minutes": "30"}
    found = cost(tariff(demand=[charge]))
    # 20 kWh at 0.30 and 20 kWh at 0.20; 30 kW in place of 10 kW at 12.00.
    assert (found.energy, found.demand) == (Decimal("10.00"), Decimal("240.00"))
    assert (found.total, found.excess_kwh) == (Decimal("250.00"), Decimal("40.000"))


def test_a_demand_that_another_reading_set_is_not_the_episodes():
    charge = {"name": "demand", "price": "12.00", "window_minutes": "30"}
    higher = {"kw": "25", "from": "2024-06-20T10:00+02:00", "until": "2024-06-20T10:30+02:00"}
    series = readings(METER, date(2024, 6, 1), date(2024, 6, 30), [{"kw": "10"}, EPISODE, higher])
    assert cost(tariff(demand=[charge]), series).demand == Decimal("60.00")


def test_the_same_in_grams_of_carbon():
    grams = [{"name": "mix", "price": "380.5"}]
    found = cost(tariff(unit="gCO2", energy=grams))
    assert (found.unit, found.energy) == ("gCO2", Decimal("15220.00"))


def test_less_than_expected_is_a_saving():
    assert cost(tariff(), expected=40.0).energy == Decimal("-5.00")


def test_an_excess_in_a_higher_tier_costs_that_tier():
    # Without the episode the month has 720 h * 10 kW = 7,200 kWh: its 40 kWh are the last ones.
    tiers = [{"up_to_kwh": "7200", "price": "0.10"}, {"price": "0.50"}]
    found = cost(tariff(energy=[{"name": "energy", "tiers": tiers}]))
    assert found.energy == Decimal("20.00")


def test_an_episode_over_the_end_of_a_month_is_priced_by_each_of_them():
    at = pd.date_range("2024-06-30T23:00+02:00", periods=4, freq="30min").tz_convert("UTC").asi8
    found = cost(tariff(), anomalous=at, expected=0.0)
    assert (found.energy, found.excess_kwh) == (Decimal("4.00"), Decimal("20.000"))


def test_readings_without_an_expected_value_are_counted_and_left_out():
    expected = np.array([10.0, np.nan, 10.0, np.nan])
    found = cost_of_episode(tariff(), METER, SERIES, ANOMALOUS, expected)
    assert (found.unexpected, found.excess_kwh) == (2, Decimal("20.000"))
    nothing = cost_of_episode(tariff(), METER, SERIES, ANOMALOUS, np.full(4, np.nan))
    assert (nothing.unexpected, nothing.total) == (4, Decimal("0.00"))
