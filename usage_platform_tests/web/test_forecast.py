import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.forecast.forecast import forecast
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import calendar_named
from usage_platform.core.time.units import instants_of
from usage_platform.services import meter_forecast
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.web.conftest import METER, client_of
from usage_platform_tests.web.made_lake import write_readings

ADDRESS = "/api/forecast?meter=m"


@pytest.fixture(scope="module")
def said(page):
    return page.get(ADDRESS).json()["forecast"]


@pytest.fixture(scope="module")
def expected(made_once):
    rows = LakeReader(made_once).rows(READINGS, meters=["m"]).sort_values("event_time")
    series = Series(instants_of(rows["event_time"]), rows["value"].to_numpy(float))
    return forecast(series, METER, calendar_named("US-MA"), int(series.instants[-1]) + 3600 * 10**9)


def test_it_is_the_cores_forecast_from_the_newest_reading_on(said, expected):
    assert said["made_at"] == expected.made_at // 10**9
    assert said["at"] == (expected.instants // 10**9).tolist()
    for name, column in (("kw", "power"), ("low", "low"), ("high", "high")):
        assert said[name] == pytest.approx(getattr(expected, column), abs=0.006)
    assert said["energy_kwh"] == pytest.approx(expected.power.sum())
    assert (said["month"], said["peak_kw"]) == ("2024-03", 1500.0)
    assert said["used_kwh"] == pytest.approx(expected.used_kwh)
    assert said["peak_probability"] == expected.peak_probability


def test_the_months_bill_is_that_of_its_energy(said, expected):
    # The page's tariff is a flat price of 0.25.
    energy, cost = said["month_energy"], said["month_cost"]
    assert energy["kwh"] == pytest.approx(expected.month_energy.kwh)
    for name, kwh in (("cost", "kwh"), ("low", "low_kwh"), ("high", "high_kwh")):
        assert cost[name] == pytest.approx(0.25 * energy[kwh], abs=0.01)
    assert cost["currency"] == "USD"


def test_a_demand_charge_counts_the_peak_that_was_reached(own_lake):
    text = """
tariffs:
  - name: campus
    meters: all
    unit: EUR
    versions:
      - valid_from: 2024-01-01
        energy: [{name: energy, price: 0.25}]
        demand: [{name: demand, price: 10, window_minutes: 60}]
"""
    LakeFiles(own_lake.assets).write_text("tariffs.yaml", text)
    said = client_of(own_lake).get(ADDRESS).json()["forecast"]
    energy, cost = said["month_energy"], said["month_cost"]
    assert cost["low"] == pytest.approx(0.25 * energy["low_kwh"] + 10 * 1500, abs=0.02)
    assert cost["currency"] == "EUR"


def test_a_mistake_in_the_tariffs_is_one_line(own_lake):
    LakeFiles(own_lake.assets).write_text("tariffs.yaml", "tariffs: 3")
    answer = client_of(own_lake).get(ADDRESS)
    assert answer.status_code == 503
    assert "tariffs.yaml" in answer.json()["error"]


def test_it_is_made_once_an_hour_and_again_when_an_earlier_reading_comes(own_lake, monkeypatch):
    made = []

    def counted(*args):
        made.append(args)
        return forecast(*args)

    monkeypatch.setattr(meter_forecast, "forecast", counted)
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    page = client_of(own_lake)
    tag = page.get(ADDRESS).headers["etag"]
    assert page.get(ADDRESS, headers={"If-None-Match": tag}).status_code == 304
    assert len(made) == 1
    late = pd.DataFrame(
        {"meter": "m", "event_time": [pd.Timestamp("2024-03-12T14:00Z")], "value": [500.0]}
    )
    write_readings(own_lake, table_writer, late)
    now[0] += 60
    assert page.get(ADDRESS, headers={"If-None-Match": tag}).status_code == 200
    assert len(made) == 2


def test_the_forecasts_of_the_meters_viewed_last_are_kept(own_lake, monkeypatch):
    made = []

    def counted(series, meter, *rest):
        made.append(meter.name)
        return forecast(series, meter, *rest)

    monkeypatch.setattr(meter_forecast, "forecast", counted)
    monkeypatch.setattr(meter_forecast, "MOST_HELD", 2)
    page = client_of(own_lake)
    for meter in ("m", "a", "m", "b", "m", "a"):
        assert page.get(f"/api/forecast?meter={meter}").status_code == 200
    assert made == ["m", "a", "b", "a"]


def test_without_history_there_is_none(page, empty_page):
    assert page.get("/api/forecast?meter=<b>rome</b>").json() == {"forecast": None}
    assert empty_page.get("/api/forecast").json() == {"forecast": None}


def test_the_range_of_a_day_holds_its_power(said):
    low, power, high = (np.array(said[name]) for name in ("low", "kw", "high"))
    assert (low <= power).all()
    assert (power <= high).all()
