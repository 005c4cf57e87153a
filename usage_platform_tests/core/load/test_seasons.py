"""Days and months from the hourly table, on the building's clock."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.core.load.seasons import daily_means, first_of_seasons, monthly
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings

METER = Meter("m", "America/New_York", 60)


def hours(start, end, value=10.0, meter=METER):
    times = pd.date_range(start, end, freq="h", tz=METER.timezone, inclusive="left")
    frame = pd.DataFrame({"meter": "m", "event_time": times.tz_convert("UTC"), "value": value})
    return hourly_from_readings(frame, MeterRegistry(METER).with_meters([meter]))


def test_a_month_is_a_local_one_of_as_many_hours_as_the_clock_gives_it():
    found = monthly(hours("2024-02-01", "2024-04-01"), METER)
    assert list(found["month"]) == [date(2024, 2, 1), date(2024, 3, 1)]
    assert list(found["energy_kwh"]) == [696 * 10, 743 * 10]
    assert list(found["completeness"]) == [1.0, 1.0]


def test_the_amount_of_a_volume_is_that_of_its_readings():
    water = Meter("m", "America/New_York", 60, unit=ReadingUnit.M3_H)
    flows = hours("2024-02-01", "2024-03-01", 0.25, water)
    assert flows["energy_kwh"].isna().all()
    assert monthly(flows, water)["energy_kwh"].tolist() == [696 * 0.25]


def test_a_month_that_lacks_readings_says_how_many_came():
    found = monthly(hours("2024-11-01", "2024-11-02"), METER)
    assert found["completeness"].tolist() == [pytest.approx(24 / 721)]


def test_a_day_without_hours_stands_empty_between_the_others():
    both = [hours("2024-03-09", "2024-03-10"), hours("2024-03-11", "2024-03-12", 30.0)]
    found = daily_means(pd.concat(both), METER)
    assert [f"{day:%d}" for day in found["day"]] == ["09", "10", "11"]
    assert found["mean"].isna().tolist() == [False, True, False]
    assert found["high"].max() == 30.0


def test_the_seasons_begin_a_year_before():
    assert first_of_seasons(date(2024, 3, 1)) == date(2023, 3, 1)
