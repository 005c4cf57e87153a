"""The year that is compared: the local one of the meter's newest hour."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.load.days import day_of
from usage_platform.core.meters import Meter
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
