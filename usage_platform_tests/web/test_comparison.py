"""A week over the weeks before and a year over the year before, over HTTP."""

import math

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.web.conftest import METER, client_of


@pytest.fixture
def wall(readings) -> pd.DataFrame:
    """The meter's readings with their local time."""
    own = readings[readings["meter"] == "m"].sort_values("event_time")
    return own.assign(wall=own["event_time"].dt.tz_convert(METER.zone).dt.tz_localize(None))


def test_the_newest_week_is_shown_over_the_weeks_before(page, wall):
    said = page.get("/api/weeks?meter=m&before=8").json()["weeks"]
    weeks = {week["monday"]: week for week in said["weeks"]}
    assert list(weeks)[-3:] == ["2024-03-04", "2024-03-11", "2024-03-18"]
    assert len(weeks) == 9
    assert (said["step_minutes"], len(said["power"])) == (60, 168)
    own = wall[wall["wall"] >= "2024-03-18"]
    shown = [kw for kw in said["power"] if kw is not None]
    np.testing.assert_allclose(shown, own["value"], atol=5e-4)
    newest = weeks["2024-03-18"]
    assert newest["energy_kwh"] == newest["to_date_kwh"] == pytest.approx(own["value"].sum())
    spring = weeks["2024-03-04"]
    assert (spring["hours"], spring["is_compared"]) == (167, True)
    reached = own["wall"].iloc[-1] - pd.Timestamp("2024-03-18")
    monday = pd.Timestamp("2024-03-04")
    before = wall[wall["wall"].between(monday, monday + reached)]
    assert spring["to_date_kwh"] == pytest.approx(before["value"].sum())
    assert said["usual_kwh"] == pytest.approx(
        np.median([week["to_date_kwh"] for week in said["weeks"] if week["is_compared"]])
    )


def test_four_weeks_are_the_default_and_other_numbers_are_refused(page):
    assert len(page.get("/api/weeks?meter=m").json()["weeks"]["weeks"]) == 5
    for before in ("0", "5", "9", "x"):
        answer = page.get(f"/api/weeks?meter=m&before={before}")
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("before: expected")


def test_a_year_without_the_one_before_is_shown_and_nothing_is_compared(page, wall):
    said = page.get("/api/years?meter=m").json()["years"]
    assert (said["first_day"], said["compared_days"]) == ("2024-01-01", 0)
    day = pd.Timestamp("2024-03-10")
    own = wall.loc[wall["wall"].dt.normalize() == day, "value"]
    assert len(own) == 23
    assert said["days"]["kwh"][(day - pd.Timestamp("2024-01-01")).days] == pytest.approx(own.sum())
    assert set(said["days"]["before_kwh"]) == {None}


def test_a_year_is_compared_with_the_days_52_weeks_before(own_lake, wall):
    reader = LakeReader(own_lake)
    rows = reader.rows(USAGE_HOURLY)
    rows = rows[rows["meter"] == "m"]
    for name in ("start", "end", "last_reading"):
        rows[name] -= pd.Timedelta(days=364)
    before = rows.assign(energy_kwh=rows["energy_kwh"] / 2, event_date=rows["start"].dt.date)
    table_writer(own_lake, USAGE_HOURLY, before)
    said = client_of(own_lake).get("/api/years?meter=m&year=2024").json()["years"]
    by_day = wall.groupby(wall["wall"].dt.normalize())["value"].agg(["sum", "count"])
    # New York's clocks changed on the same day of both years: each day is beside its equal.
    whole = by_day[by_day["count"] >= 0.9 * 24]
    assert said["compared_days"] == len(whole)
    assert said["compared_kwh"] == pytest.approx(math.fsum(whole["sum"]))
    assert said["difference_kwh"] == pytest.approx(math.fsum(whole["sum"]) / 2)
    assert sum(kwh or 0 for kwh in said["weeks"]["kwh"]) == pytest.approx(
        said["compared_kwh"], abs=0.05
    )
    assert said["weeks"]["mondays"][0] == "2024-01-01"


def test_the_page_is_not_sent_what_it_has(page):
    for path in ("/api/weeks?meter=m", "/api/years?meter=m"):
        tag = page.get(path).headers["etag"]
        assert page.get(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("query", ["meter=m&year=1999", "meter=nobody"])
def test_a_year_without_hours_is_none(page, query):
    assert page.get(f"/api/years?{query}").json() == {"years": None}


def test_an_empty_lake_has_no_week_and_no_year(empty_page):
    assert empty_page.get("/api/weeks").json() == {"weeks": None}
    assert empty_page.get("/api/years").json() == {"years": None}


def test_in_january_the_newest_year_has_the_weeks_before_it(lake, write_table):
    times = pd.date_range("2023-11-20", "2024-01-10", freq="h", tz=METER.zone, unit="ns")
    rows = pd.DataFrame({"meter": "m", "event_time": times.tz_convert("UTC"), "value": 3.0})
    write_table(lake, READINGS, rows.assign(event_date=rows["event_time"].dt.date))
    page = client_of(lake)
    for query in ("meter=m", "meter=m&year=2024"):
        weeks = page.get(f"/api/weeks?{query}").json()["weeks"]["weeks"]
        assert [week["is_compared"] for week in weeks] == [True] * 4 + [False]
