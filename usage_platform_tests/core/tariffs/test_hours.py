"""Prices and costs by the hour, on the wall clock of the meter."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pandas as pd

from usage_platform.core.meters import Meter
from usage_platform.core.tariffs.hours import cost_of_hours, price_of_hours
from usage_platform.core.tariffs.tariff import flat_tariff
from usage_platform_tests.core.tariffs.made_bills import readings, tariff_of

HOUR = pd.Timedelta(hours=1)


def tariff(*periods, valid_from="2024-01-01"):
    versions = [{"valid_from": valid_from, "energy": list(periods)}]
    return tariff_of({"name": "t", "meters": "all", "unit": "EUR", "versions": versions})


NIGHT = {"name": "night", "hours": ["00:00-06:00"], "price": "0.1"}
DAY = {"name": "day", "price": "0.3"}


def prices(zone, start, hours, *, of=None):
    begin = pd.Timestamp(start).tz_convert("UTC")
    found = price_of_hours(
        of or tariff(NIGHT, DAY), Meter("m", zone, 60), begin, begin + hours * HOUR
    )
    assert [one.start for one in found] == [begin + n * HOUR for n in range(hours)]
    return [str(one.price) for one in found]


def test_the_price_follows_the_wall_clock_over_both_clock_changes():
    # In spring the night has five hours, in autumn seven.
    spring = prices("Europe/Berlin", "2024-03-31T00:00+01:00", 6)
    assert spring == ["0.10000000"] * 5 + ["0.30000000"]
    autumn = prices("Europe/Berlin", "2024-10-27T00:00+02:00", 8)
    assert autumn == ["0.10000000"] * 7 + ["0.30000000"]


def test_hours_are_those_of_the_clock():
    begin = pd.Timestamp("2024-05-01T00:30Z")  # 06:00 in India.
    meter, end = Meter("m", "Asia/Kolkata", 30), begin + HOUR
    found = price_of_hours(tariff(NIGHT, DAY), meter, begin - HOUR, end)
    assert [(one.start, one.periods) for one in found] == [
        (begin - HOUR, ("night",)),
        (begin, ("day",)),
    ]
    series = readings(meter, date(2024, 5, 1), date(2024, 5, 2), [{"kw": "2"}])
    costs = cost_of_hours(tariff(NIGHT, DAY), meter, series, begin - HOUR, end)
    assert [(one.start, one.end, one.cost) for one in costs] == [
        (begin - HOUR, begin, Fraction("0.2")),
        (begin, end, Fraction("0.6")),
    ]


def test_an_hour_over_two_prices_has_their_mean_and_names_both():
    begin = pd.Timestamp("2024-05-01T05:00Z")
    night = NIGHT | {"hours": ["00:00-05:30"]}
    (one,) = price_of_hours(tariff(night, DAY), Meter("m", "UTC", 60), begin, begin + HOUR)
    assert (one.price, one.periods) == (Decimal("0.20000000"), ("night", "day"))


def test_tiers_have_the_price_of_the_first_and_times_before_the_tariff_have_none():
    tiers = {"name": "energy", "tiers": [{"up_to_kwh": "1", "price": "0.5"}, {"price": "9"}]}
    found = prices("UTC", "2023-12-31T23:00Z", 2, of=tariff(tiers))
    assert found == ["None", "0.50000000"]


def test_the_cost_of_hours_counts_tiers_from_the_beginning_of_the_month():
    meter = Meter("m", "UTC", 30)
    tiers = {"name": "energy", "tiers": [{"up_to_kwh": "5", "price": "0.1"}, {"price": "1"}]}
    series = readings(meter, date(2024, 5, 1), date(2024, 5, 2), [{"kw": "2"}])
    start = pd.Timestamp("2024-05-01T01:00Z")
    hours = cost_of_hours(tariff(tiers), meter, series, start, start + 3 * HOUR)
    assert [hour.cost for hour in hours] == [Fraction(1, 5), Fraction(11, 10), Fraction(2)]
    assert [hour.minutes for hour in hours] == [60, 60, 60]
    assert {hour.imported_kwh for hour in hours} == {Fraction(2)}


def test_an_hour_with_half_of_its_readings_says_so():
    meter = Meter("m", "UTC", 30)
    series = readings(meter, date(2024, 5, 1), date(2024, 5, 1), [{"kw": "2"}])
    start = pd.Timestamp("2024-05-01T00:00Z")
    half = series.since(start.value).until((start + pd.Timedelta(minutes=30)).value)
    (hour,) = cost_of_hours(flat_tariff(0.25, "EUR"), meter, half, start, start + HOUR)
    assert (hour.minutes, hour.imported_kwh, hour.cost) == (30, Fraction(1), Fraction(1, 4))


def test_an_hour_before_the_tariff_has_no_cost():
    meter = Meter("m", "UTC", 60)
    series = readings(meter, date(2024, 5, 1), date(2024, 5, 2), [{"kw": "2"}])
    start = pd.Timestamp("2024-05-01T23:00Z")
    late = tariff(DAY, valid_from="2024-05-02")
    hours = cost_of_hours(late, meter, series, start, start + 2 * HOUR)
    assert [(hour.imported_kwh, hour.cost) for hour in hours] == [(2, None), (2, Fraction(3, 5))]
