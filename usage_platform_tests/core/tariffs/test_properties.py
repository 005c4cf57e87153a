"""What holds for every tariff and every month: hours, splits, orders, and episodes."""

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.tariffs.bill import bill_of_month
from usage_platform.core.tariffs.charges import ChargeKind
from usage_platform.core.tariffs.episode_cost import cost_of_episode
from usage_platform.core.tariffs.hours import cost_of_hours, price_of_hours
from usage_platform.core.tariffs.money import rounded
from usage_platform_tests.core.tariffs.made_bills import tariff_of

ENERGY = (ChargeKind.ENERGY, ChargeKind.EXPORT)
# Both clock changes, by an hour and by half an hour, and zones half or a quarter of an hour off.
ZONES = (
    *("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "UTC"),
)
MONTHS = (date(2024, 3, 1), date(2024, 4, 1), date(2024, 10, 1), date(2024, 11, 1))
PRICES = st.decimals(-1, 9, places=4).map(str)
COUNTS = st.integers(0, 400)


def period(name, price, **times):
    return {"name": name, "price": price, **times}


@st.composite
def versions(draw):
    day = period("day", draw(PRICES), hours=[draw(st.sampled_from(("06:00-20:30", "22:00-07:15")))])
    tiers = [{"up_to_kwh": str(draw(COUNTS)), "price": draw(PRICES)}, {"price": draw(PRICES)}]
    rest = draw(st.sampled_from((period("rest", "0.2"), {"name": "rest", "tiers": tiers})))
    demand = period("demand", str(draw(COUNTS)), window_minutes=60, minimum_kw="3")
    return {
        "energy": [day, rest],
        "export": [period("sun", draw(PRICES))],
        "demand": [demand],
        "standing": [{"price": "3.10", "per": "month"}, period("daily", "0.5", per="day")],
    }


def tariff(*parts):
    content = [{"valid_from": str(day), **version} for day, version in parts]
    return tariff_of({"name": "t", "meters": "all", "unit": "EUR", "versions": content})


@st.composite
def months(draw):
    """A meter, a month, and readings of most of its intervals, some of them of export."""
    meter = Meter("m", draw(st.sampled_from(ZONES)), draw(st.sampled_from((15, 30, 60))))
    month = Month(draw(st.sampled_from(MONTHS)))
    start, end = month.bounds(meter)
    step = meter.interval_minutes * 60 * 10**9
    instants = np.arange(start.value // step * step, end.value, step, dtype=np.int64)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = np.round(rng.uniform(-2, 8, len(instants)), draw(st.integers(0, 6)))
    there = rng.random(len(instants)) < draw(st.sampled_from((1.0, 0.9)))
    return meter, month, Series(instants[there], values[there])


def bill_of(made, prices):
    meter, month, series = made
    return bill_of_month(prices, meter, month, series, month.bounds(meter)[1])


@given(months(), versions(), versions(), st.integers(0, 30))
@settings(max_examples=25)
def test_the_hours_of_a_month_sum_to_its_energy_lines(made, old, new, day):
    meter, month, series = made
    prices = tariff((date(2020, 1, 1), old), (month.first + timedelta(days=day), new))
    start, end = month.bounds(meter)
    # A reading over an end of the month belongs to it in part; the others' energy has no cost.
    inside = series.since(start.value).until(end.value - meter.interval_minutes * 60 * 10**9 + 1)
    hours = cost_of_hours(prices, meter, inside, start.floor("h"), end.ceil("h"))
    bill = bill_of((meter, month, inside), prices)
    assert sum((hour.cost or 0 for hour in hours), Fraction(0)) == bill.exact(*ENERGY)
    imported = sum((hour.imported_kwh for hour in hours), Fraction(0))
    lines = [line.quantity for line in bill.lines if line.kind is ChargeKind.ENERGY]
    assert imported == sum(lines, Fraction(0))


@given(months(), versions(), st.integers(1, 30))
@settings(max_examples=25)
def test_a_month_that_is_split_by_an_equal_version_costs_the_same(made, prices, day):
    month = made[1]
    whole = bill_of(made, tariff((date(2020, 1, 1), prices)))
    split = bill_of(
        made, tariff((date(2020, 1, 1), prices), (month.first + timedelta(days=day), prices))
    )
    for kind in ChargeKind:
        assert whole.exact(kind) == split.exact(kind)


@given(months(), versions(), st.integers(0, 2**32), st.integers(1, 5))
@settings(max_examples=25)
def test_readings_in_any_order_and_any_parts_give_the_same_bill(made, prices, seed, parts):
    meter, month, series = made
    order = np.random.default_rng(seed).permutation(len(series.instants))
    history = ReadingHistory()
    for part in (order[n::parts] for n in range(parts)):
        times = pd.to_datetime(series.instants[part], utc=True)
        history.add(pd.DataFrame({"meter": "m", "event_time": times, "value": series.values[part]}))
    chosen = tariff((date(2020, 1, 1), prices))
    again = bill_of((meter, month, history.of("m")), chosen)
    assert again == bill_of(made, chosen)


@given(months(), st.data())
@settings(max_examples=25)
def test_an_episode_costs_its_excess_at_the_price_of_its_hours(made, data):
    meter, month, series = made
    series = Series(series.instants, np.round(np.abs(series.values), 3))
    day = period("day", data.draw(PRICES), hours=["07:00-21:00"])
    prices = tariff((date(2020, 1, 1), {"energy": [day, period("rest", "0.2")]}))
    start, end = month.bounds(meter)
    inside = series.since(start.value).until(end.value - 60 * 60 * 10**9)
    first = data.draw(st.integers(0, len(inside.instants) - 20))
    anomalous, values = inside.instants[first : first + 20], inside.values[first : first + 20]
    expected = np.round(values * 0.25, 3)
    found = cost_of_episode(prices, meter, series, anomalous, expected)
    quarter = Meter("m", meter.timezone, 15)
    total = excess = Fraction(0)
    for at, kw in zip(anomalous.tolist(), np.round(values - expected, 3), strict=True):
        for part in range(meter.interval_minutes // 15):
            begin = pd.Timestamp(at + part * 15 * 60 * 10**9, tz="UTC")
            (price,) = price_of_hours(prices, quarter, begin, begin + pd.Timedelta(minutes=15))
            energy = Fraction(round(kw * 1000), 1000) / 4
            total += energy * Fraction(price.price)
            excess += energy
    assert found.energy == rounded(total, 2)
    assert found.demand == 0
    assert found.excess_kwh == rounded(excess, 3)
