from datetime import date

import pandas as pd
import pytest
from starlette.testclient import TestClient

from usage_platform.core.load.month import Month, profile
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.core.time.calendar import Calendar
from usage_platform.web.app import create_app
from usage_platform.web.source import PageSource
from usage_platform.wiring.platform import Platform
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.core.detector.series import library
from usage_platform_tests.web.conftest import METER, OTHER, client_of, no_kafka, settings_of
from usage_platform_tests.web.made_lake import write_readings


def test_now_is_the_last_reading_with_its_band(page, readings):
    now = page.get("/api/overview?meter=m").json()["now"]
    last = readings[readings["meter"] == "m"].iloc[-1]
    assert (now["at"], now["kw"]) == (last["event_time"].value // 10**9, last["value"])
    assert (now["low"], now["high"], now["is_anomaly"]) == (300.0, 1000.0, False)


def test_energy_and_cost_by_day_add_up_to_the_readings(page, readings):
    days = page.get("/api/overview?meter=m").json()["days"]
    own = readings[readings["meter"] == "m"]["value"]
    assert sum(day["energy_kwh"] for day in days) == pytest.approx(own.sum())
    assert sum(day["cost"] for day in days) == pytest.approx(own.sum() * 0.25)
    by_day = {day["day"]: day for day in days}
    assert by_day["2024-03-10"]["expected_readings"] == 23
    assert by_day["2024-03-12"]["readings"] == 19


def test_gaps_are_told(page):
    said = page.get("/api/overview?meter=m").json()
    gap = pd.Timestamp("2024-03-12T09:00", tz=METER.zone).value // 10**9
    assert (said["missing"], said["gaps"]) == (5, 1)
    assert said["longest_gap"] == {"start": gap, "end": gap + 5 * 3600}


def test_the_day_stands_beside_its_weekday_and_the_week_beside_the_one_before(page):
    said = page.get("/api/overview?meter=m").json()
    assert said["day"]["days"] == 4
    assert said["day"]["usual_kwh"] == pytest.approx(said["day"]["energy_kwh"], rel=0.1)
    assert said["week"]["is_whole"]


def test_the_shape_of_a_span_is_that_of_its_readings(page):
    start = pd.Timestamp("2024-03-05T00:00", tz=METER.zone).value // 10**9
    said = page.get(f"/api/shape?meter=m&from={start}&to={start + 86_400}").json()
    assert said["shape"]["peak_kw"] == 1500.0
    assert said["duration"]["hours"][-1] == 24.0
    assert said["week"]["bucket_minutes"] == 60
    assert len(said["week"]["kw"]) == 7
    assert said["week"]["kw"][0] == [None] * 24


@pytest.mark.parametrize("path", ["/api/overview", "/api/shape"])
def test_an_empty_lake_has_no_figures_and_no_error(empty_page, path):
    answer = empty_page.get(path)
    assert answer.status_code == 200
    assert answer.json().get("now") is None


def test_a_meter_with_two_days_has_nothing_to_compare_with(page):
    said = page.get("/api/overview", params={"meter": OTHER.name}).json()
    assert said["week"] is None
    assert said["day"]["usual_kwh"] is None
    assert said["now"]["low"] is None


def test_a_gap_over_new_year_is_counted_from_the_years_first_day(lake):
    instants, values = library(days=20, start=pd.Timestamp("2023-12-20", tz=METER.zone).value)
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    rows = pd.DataFrame({"meter": "m", "event_time": times, "value": values})
    first, last = (pd.Timestamp(day, tz=METER.zone) for day in ("2023-12-31", "2024-01-03"))
    kept = rows[(times < first) | (times >= last)]
    write_readings(lake, table_writer, kept)
    page = client_of(lake)
    said = page.get("/api/overview?meter=m&year=2024").json()
    assert (said["missing"], said["gaps"]) == (48, 1)
    assert page.get("/api/overview?meter=m").json()["missing"] == 72
    history = ReadingHistory()
    history.add(kept)
    report = profile(history.of("m"), Month(date(2024, 1, 1)), METER, Calendar())
    assert said["longest_gap"] == {
        name: getattr(report.gaps[0], name) // 10**9 for name in ("start", "end")
    }


def test_the_same_readings_have_the_same_figures_on_the_page_and_in_the_report(page, readings):
    month = Month(date(2024, 2, 1))
    start, end = (at.value // 10**9 for at in month.bounds(METER))
    shape = page.get(f"/api/shape?meter=m&from={start}&to={end}").json()["shape"]
    history = ReadingHistory()
    history.add(readings[readings["meter"] == "m"])
    figures = profile(history.of("m"), month, METER, Calendar()).figures
    for name in ("base_kw", "peak_kw", "mean_kw", "load_factor", "energy_kwh"):
        assert shape[name] == getattr(figures, name), name


def test_costs_are_new_after_a_restart_with_another_tariff(made_once):
    tag = client_of(made_once).get("/api/overview?meter=m").headers["etag"]
    settings = settings_of(made_once).model_copy(update={"tariff": 0.5})
    app = create_app(PageSource.of(Platform(settings)), no_kafka)
    restarted = TestClient(app, base_url="http://127.0.0.1:8050")
    again = restarted.get("/api/overview?meter=m", headers={"If-None-Match": tag})
    assert again.status_code == 200
