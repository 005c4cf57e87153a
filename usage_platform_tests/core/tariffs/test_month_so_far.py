"""A month that is not over, or lacks readings: what is billed, reported and estimated."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import NO_READINGS, Series
from usage_platform.core.tariffs.bill import bill_of_month, projected_bill, readings_from
from usage_platform.core.tariffs.coverage import completed, coverage_of
from usage_platform.core.tariffs.demand import WindowTooShortError
from usage_platform_tests.core.tariffs.made_bills import readings, tariff_of

ROME = Meter("m", "Europe/Rome", 60)
JUNE = Month(date(2024, 6, 1))
OVER = pd.Timestamp("2024-07-02T00:00Z")
HOUR = 3600 * 10**9
EXTRA = {
    "standing": [{"price": "30", "per": "month"}, {"name": "daily", "price": "1", "per": "day"}],
    "demand": [{"name": "demand", "price": "2", "window_minutes": "60"}],
}


def tariff(valid_from="2024-01-01", **fields):
    version = {"valid_from": valid_from, "energy": [{"name": "energy", "price": "0.10"}], **fields}
    return tariff_of({"name": "t", "meters": "all", "unit": "EUR", "versions": [version]})


def june(*rules):
    return readings(ROME, date(2024, 5, 1), JUNE.last, [{"kw": "4"}, *rules])


def amounts(bill):
    return {line.name: str(line.amount) for line in bill.lines}


def test_a_bill_so_far_counts_the_days_begun_and_the_demand_reached():
    now = pd.Timestamp("2024-06-10T12:00+02:00")
    so_far = june({"kw": "9", "from": "2024-06-03T10:00+02:00", "until": "2024-06-03T11:00+02:00"})
    bill = bill_of_month(tariff(**EXTRA), ROME, JUNE, so_far.until(now.value), now)
    # 9 days and 12 hours of 4 kW and an hour of 5 kW more: 228 * 4 + 5 = 917 kWh.
    assert amounts(bill) == {
        "energy": "91.70",
        "standing charge": "10.00",
        "daily": "10.00",
        "demand": "18.00",
    }
    assert (bill.is_over, bill.coverage.missing_hours) == (False, 0)


def test_the_projection_gives_missing_hours_the_mean_of_their_weekday_and_time():
    now = pd.Timestamp("2024-06-10T12:00+02:00")
    series = june({"kw": "10", "weekdays": ["0"], "hours": ["8", "10"]})
    bill = projected_bill(tariff(**EXTRA), ROME, JUNE, series.until(now.value))
    # 720 hours of 4 kW, and 2 hours of 6 kW more on each of the Mondays 3, 10, 17 and 24.
    assert amounts(bill) == {
        "energy": "292.80",
        "standing charge": "30.00",
        "daily": "30.00",
        "demand": "20.00",
    }


def test_the_projection_falls_back_to_other_days_and_then_to_the_mean():
    start = JUNE.bounds(ROME)[0].value
    # Two hours of Saturday 1 June, 2 and 6 kW.
    known = Series(np.array([start, start + HOUR]), np.array([2.0, 6.0]))
    whole = completed(known, ROME, JUNE)
    assert len(whole.instants) == 720
    assert whole.values[:4].tolist() == [2, 6, 4, 4]
    assert whole.values[24:28].tolist() == [2, 6, 4, 4]
    assert completed(NO_READINGS, ROME, JUNE) is None
    assert projected_bill(tariff(), ROME, JUNE, NO_READINGS) is None


def test_hours_without_readings_are_reported_and_cost_nothing():
    series = june()
    start = JUNE.bounds(ROME)[0].value
    place = (series.instants - start) // HOUR
    gone = (place < 2) | ((place >= 100) & (place < 105)) | (place >= 718)
    bill = bill_of_month(
        tariff(), ROME, JUNE, Series(series.instants[~gone], series.values[~gone]), OVER
    )
    assert bill.coverage.missing_hours == 9
    assert [(gap.start - start) // HOUR for gap in bill.coverage.gaps] == [0, 100, 718]
    assert [gap.missing for gap in bill.coverage.gaps] == [2, 5, 2]
    assert amounts(bill) == {"energy": "284.40"}


def test_a_month_without_readings_has_one_gap_and_no_energy():
    bill = bill_of_month(tariff(), ROME, JUNE, NO_READINGS, OVER)
    assert (bill.lines, bill.total, bill.coverage.missing_hours) == ((), Decimal("0.00"), 720)
    assert len(bill.coverage.gaps) == 1


def test_a_month_to_come_expects_nothing_yet():
    now = pd.Timestamp("2024-05-20T00:00Z")
    assert coverage_of(NO_READINGS, ROME, JUNE, now).expected == 0
    assert amounts(bill_of_month(tariff(**EXTRA), ROME, JUNE, NO_READINGS, now)) == {
        "standing charge": "0.00",
        "daily": "0.00",
        "demand": "0.00",
    }


def test_a_demand_window_with_missing_readings_does_not_count_and_is_noted():
    quarter = Meter("m", "Europe/Rome", 15)
    series = readings(quarter, JUNE.first, JUNE.last, [{"kw": "4"}])
    begin = pd.Timestamp("2024-06-05T10:00+02:00").value
    values = np.where((series.instants >= begin) & (series.instants < begin + HOUR), 50.0, 4.0)
    there = series.instants != begin
    bill = bill_of_month(
        tariff(**EXTRA), quarter, JUNE, Series(series.instants[there], values[there]), OVER
    )
    assert amounts(bill)["demand"] == "8.00"
    assert bill.notes == ("demand demand: windows that lack readings and do not count: 1",)


def test_months_of_a_ratchet_without_readings_are_noted():
    charge = {"name": "demand", "price": "2", "window_minutes": "60"}
    ratchet = tariff(demand=[{**charge, "ratchet": {"percent": "80", "months": "2"}}])
    assert readings_from(ratchet, ROME, JUNE) == pd.Timestamp("2024-04-01T00:00+02:00")
    bill = bill_of_month(ratchet, ROME, JUNE, june(), OVER)
    assert bill.notes == ("demand demand: its ratchet counts 2024-04, which lack readings",)


def test_energy_before_the_first_day_of_a_tariff_and_export_without_a_price_are_noted():
    bill = bill_of_month(tariff("2024-06-16"), ROME, JUNE, june(), OVER)
    assert amounts(bill) == {"energy": "144.00"}
    assert bill.notes == (
        "the tariff is valid from 2024-06-16: earlier energy of the month is not billed",
    )
    sun = june({"kw": "-3", "from": "2024-06-03T10:00+02:00", "until": "2024-06-03T11:00+02:00"})
    (note,) = bill_of_month(tariff(), ROME, JUNE, sun, OVER).notes
    assert note == "3.000 kWh were exported, and the tariff has no price for export"


def test_a_window_that_readings_cannot_show_is_refused():
    short = tariff(demand=[{"name": "peak", "price": "2", "window_minutes": "15"}])
    with pytest.raises(WindowTooShortError) as caught:
        bill_of_month(short, ROME, JUNE, june(), OVER)
    assert str(caught.value) == (
        "tariff t: version 2024-01-01: demand peak: expected window_minutes to be a multiple of "
        "the 60 minutes of the readings of m, got 15"
    )
