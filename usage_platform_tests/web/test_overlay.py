"""Several meters on one chart over HTTP."""

import math

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform_tests.web.conftest import METER, OTHER, client_of
from usage_platform_tests.web.test_fleet import GROUPS

MARCH = pd.Timestamp("2024-03-08T00:00", tz=METER.zone)
"""Two days before the clock change."""


def seconds(at: pd.Timestamp) -> int:
    return at.value // 10**9


def asked(page, *names: str, **given: object):
    query = {"meter": list(names), **given}
    return page.get("/api/overlay", params=query)


def test_a_week_of_two_meters_has_the_hours_of_both_and_gaps_where_one_has_none(page, readings):
    start = pd.Timestamp("2024-01-02T00:00Z")
    said = asked(page, "m", OTHER.name, **{"from": seconds(start), "to": seconds(start) + 604800})
    content = said.json()
    assert (content["step_minutes"], content["unit"]) == (60, "kW")
    assert (content["timezone"], content["has_other_zones"]) == (METER.timezone, True)
    assert content["at"] == list(range(seconds(start), seconds(start) + 604800, 3600))
    for line, name in zip(content["meters"], ["m", OTHER.name], strict=True):
        own = readings[readings["meter"] == name].set_index("event_time")["value"]
        clock = pd.date_range(start, periods=168, freq="h")
        wanted = own.reindex(clock)
        shown = np.array(line["power"], dtype=np.float64)
        np.testing.assert_allclose(shown, wanted.to_numpy(), atol=5e-4)
        assert line["energy_kwh"] == pytest.approx(math.fsum(wanted.dropna()))
        assert (line["readings"], line["expected_readings"]) == (wanted.notna().sum(), 168)


def test_without_a_range_the_last_seven_days_are_shown(page, readings):
    content = asked(page, "m").json()
    newest = readings.loc[readings["meter"] == "m", "event_time"].max()
    assert content["to"] == seconds(newest) + 3600
    assert content["to"] - content["from"] == 7 * 86400


def test_a_long_range_is_shown_by_local_days_over_the_clock_change(page, readings):
    given = {"from": seconds(MARCH) - 60 * 86400, "to": seconds(MARCH) + 100 * 86400}
    content = asked(page, "m", **given).json()
    assert content["step_minutes"] == 1440
    at = pd.DatetimeIndex(pd.to_datetime(content["at"], unit="s", utc=True)).tz_convert(METER.zone)
    assert set(at.hour) == {0}
    own = readings[readings["meter"] == "m"]
    local = own["event_time"].dt.tz_convert(METER.zone).dt.date
    day = pd.Timestamp("2024-03-10").date()
    shown = content["meters"][0]["power"][list(at.date).index(day)]
    assert shown == pytest.approx(own.loc[local == day, "value"].mean(), abs=5e-4)
    assert (local == day).sum() == 23


def test_a_meter_without_readings_has_a_line_without_a_value(page):
    line = asked(page, "m", "nobody").json()["meters"][1]
    assert (line["readings"], set(line["power"])) == (0, {None})


def test_by_area_the_power_is_that_of_a_square_metre_and_without_one_it_is_refused(own_lake):
    LakeFiles(own_lake.assets).write_text("groups.yaml", GROUPS)
    page = client_of(own_lake)
    power = asked(page, "m").json()["meters"][0]["power"]
    by_area = asked(page, "m", unit="W/m2").json()["meters"][0]["power"]
    assert by_area == pytest.approx([kw * 1000 / 50 for kw in power], abs=0.02)
    refused = asked(page, "m", OTHER.name, unit="W/m2")
    assert refused.status_code == 400
    assert f"unit: {OTHER.name!r} cannot be shown in W/m2" in refused.json()["error"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("", "meter: expected 1 to 8 meters, got 0"),
        ("&".join(f"meter=m{n}" for n in range(9)), "meter: expected 1 to 8 meters, got 9"),
        ("meter=m&meter=%00", "meter name: expected"),
        ("meter=m&unit=BTU", "unit: expected one of kW, W/m2, got 'BTU'"),
        ("meter=m&from=5&to=5", "to: expected a time within 366 days after from"),
        ("meter=m&from=0&to=40000000", "to: expected a time within 366 days after from"),
        ("meter=m&from=x", "from: expected a whole number"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_line(page, query, error):
    answer = page.get(f"/api/overlay?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)


def test_a_meter_named_twice_is_shown_once_and_nothing_is_sent_twice(page):
    first = asked(page, "m", "m")
    assert len(first.json()["meters"]) == 1
    again = page.get("/api/overlay?meter=m", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_an_empty_lake_has_lines_without_a_value(empty_page):
    line = asked(empty_page, "m").json()["meters"][0]
    assert (line["readings"], line["energy_kwh"]) == (0, 0.0)


def test_the_page_of_several_meters_has_an_address_of_its_own(page):
    assert "<title>Several meters</title>" in page.get("/compare?meter=m").text
