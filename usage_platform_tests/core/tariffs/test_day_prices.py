"""Mean prices by hour of the local day."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.core.meters import Meter
from usage_platform.core.tariffs.day_prices import price_by_local_hour
from usage_platform.core.tariffs.parsing import parse_tariffs

FILE = """
tariffs:
  - name: campus
    meters: all
    unit: USD
    holidays: US-MA
    versions:
      - valid_from: 2024-01-01
        energy:
          - {name: night, hours: ["22:00-06:30"], price: 0.10}
          - {name: weekend, days: [weekend, holidays], hours: ["06:30-22:00"], price: 0.20}
          - {name: day, tiers: [{up_to_kwh: 600, price: 0.30}, {price: 0.90}]}
"""


def prices(zone, first="2024-03-04", last="2024-03-18"):
    book = parse_tariffs(yaml_texts(FILE), "tariffs.yaml")
    bounds = (pd.Timestamp(day, tz=zone).value for day in (first, last))
    return price_by_local_hour(book.money("m"), Meter("m", zone, 60), *bounds)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_each_local_hour_has_the_mean_of_its_prices_by_minutes(zone):
    found = prices(zone)
    # Two weeks, in one of which New York's clocks change: ten working days, two weekends.
    day = (10 * 0.30 + 4 * 0.20) / 14
    assert found[[0, 5, 22, 23]] == pytest.approx(0.10)
    assert found[[7, 12, 21]] == pytest.approx(day)
    assert found[6] == pytest.approx((0.10 + day) / 2)


def test_days_before_the_tariff_do_not_count():
    zone = "America/New_York"
    assert np.allclose(
        prices(zone, "2023-12-25", "2024-01-15"), prices(zone, "2024-01-01", "2024-01-15")
    )
    assert prices(zone, "2023-12-01", "2023-12-08") is None
