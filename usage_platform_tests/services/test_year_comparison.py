"""The year that is compared: the local one of the meter's newest hour."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import audited_hours
from usage_platform.core.time.day_numbers import day_of
from usage_platform.services.year_comparison import year_comparison


@pytest.mark.parametrize(
    ("zone", "until", "year"),
    [
        ("America/New_York", "2025-01-01T03:00Z", 2024),
        ("Asia/Kolkata", "2024-12-31T21:00Z", 2025),
        ("UTC", "2025-01-01T03:00Z", 2025),
    ],
)
def test_the_newest_year_is_that_of_the_meters_own_clock(lake, write_table, zone, until, year):
    meter = Meter("m", zone, 60)
    starts = pd.date_range(end=until, periods=72, freq="h", unit="ns")
    rows = pd.DataFrame({"meter": "m", "start": starts, "energy_kwh": 2.0, "avg_usage": 2.0})
    rows = rows.assign(
        end=starts + pd.Timedelta(hours=1),
        event_date=starts.date,
        last_reading=starts,
        n=np.int32(1),
        expected_n=np.int32(1),
    )
    write_table(lake, USAGE_HOURLY, rows)
    found = year_comparison(LakeReader(lake), meter, None)
    assert found is not None
    assert day_of(found.first_day) == date(year, 1, 1)
    local = starts.tz_convert(meter.zone)
    assert np.nansum(found.energy_kwh) == 2.0 * (local.year == year).sum()


@pytest.mark.parametrize(
    "zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "America/St_Johns"]
)
def test_hourly_readings_of_half_hour_zones_are_in_their_own_local_days(lake, write_table, zone):
    meter = Meter("m", zone, 60)
    minutes = pd.date_range("2023-12-20", "2024-12-20", freq="min", tz="UTC").as_unit("ns")
    times = minutes[minutes.tz_convert(zone).minute == 0]
    local = times.tz_convert(zone)
    # Each local day has a power of its own, so that an hour of another day would show.
    kw = local.dayofyear.to_numpy("float64")
    rows = pd.DataFrame({"meter": "m", "event_time": times, "value": kw, "late": False})
    hours = audited_hours(rows, MeterRegistry(meter), pd.Series({"m": times[-1]}))
    write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    found = year_comparison(LakeReader(lake), meter, 2024)
    assert found is not None
    by_day = pd.Series(kw, local.tz_localize(None).floor("D"))[lambda s: s.index.year == 2024]
    expected = by_day.groupby(level=0).sum().to_numpy()
    np.testing.assert_allclose(found.energy_kwh, expected)
