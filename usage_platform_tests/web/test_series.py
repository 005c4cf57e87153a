import numpy as np
import pandas as pd
import pytest

from usage_platform.core.load.packed import unpack
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.web.conftest import METER, OTHER, client_of
from usage_platform_tests.web.made_lake import write_readings


def of(readings: pd.DataFrame, meter: str) -> pd.DataFrame:
    return readings[readings["meter"] == meter].sort_values("event_time")


def test_the_meters_come_with_their_zones_the_default_one_first(page):
    said = page.get("/api/meters").json()
    assert [meter["name"] for meter in said["meters"]] == ["m", OTHER.name]
    assert said["meters"][1]["timezone"] == "Europe/Rome"
    assert (said["tariff"], said["currency"]) == (0.25, "USD")


def test_a_meter_that_no_source_has_described_is_there_once_it_sends(own_lake):
    at = pd.DatetimeIndex(["2024-03-21T03:00Z"]).as_unit("ns")
    row = pd.DataFrame({"meter": "annex", "event_time": at, "value": 5.0})
    write_readings(own_lake, table_writer, row)
    listed = client_of(own_lake).get("/api/meters").json()["meters"]
    described = {meter["name"]: meter["timezone"] for meter in listed}
    assert described["annex"] == METER.timezone


def test_the_year_holds_every_reading_and_the_gap_is_a_gap(page, readings):
    unpacked = unpack(page.get("/api/series?meter=m").content)
    own = of(readings, "m")
    value = unpacked.columns["value"]
    np.testing.assert_allclose(value[np.isfinite(value)], own["value"], atol=1e-6)
    assert np.isnan(value).sum() == 5
    assert unpacked.header["start"] == own["event_time"].iloc[0].value // 10**9


def test_the_band_begins_with_the_model(page):
    unpacked = unpack(page.get("/api/series?meter=m").content)
    times = unpacked.header["start"] + 3600 * np.arange(unpacked.header["size"])
    begin = pd.Timestamp("2024-02-01T05:00Z").value // 10**9
    known = np.isfinite(unpacked.columns["low"])
    assert times[known].min() == begin
    assert unpacked.columns["high"][known][0] == pytest.approx(1000, abs=1)


def test_only_the_span_that_is_asked_for_comes(page):
    start = pd.Timestamp("2024-03-10T00:00", tz=METER.zone).value // 10**9
    body = page.get(f"/api/series?meter=m&from={start}&to={start + 7200}").content
    assert unpack(body).header["size"] == 2


def test_another_meter_has_its_own_readings(page, readings):
    body = page.get("/api/series", params={"meter": OTHER.name}).content
    values = unpack(body).columns["value"]
    np.testing.assert_allclose(values, of(readings, OTHER.name)["value"], atol=1e-3)


def test_what_the_page_has_already_is_not_sent_again(page):
    first = page.get("/api/series?meter=m")
    again = page.get("/api/series?meter=m", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""


def test_the_clock_tells_both_offsets_of_the_building(page):
    said = page.get("/api/clock?meter=m").json()
    change = pd.Timestamp("2024-03-10T07:00Z").value // 10**9
    assert {"start": change, "minutes": -240, "name": "EDT"} in said["offsets"]
    assert (said["timezone"], said["years"]) == ("America/New_York", [2024])


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("year=2x", "year: expected a whole number from 1970 to 2100, got '2x'"),
        ("year=1492", "year: expected"),
        ("from=abc", "from: expected a whole number"),
        ("from=200&to=100", "to: expected a time not before from=200"),
        ("meter=%00", "meter name: expected"),
        ("from=99999999999999999999", "from: expected"),
        ("year=٢٠٢٤", "year: expected"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(page, query, told):
    answer = page.get(f"/api/series?{query}")
    assert answer.status_code == 400
    assert told in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_an_empty_lake_is_an_empty_series(empty_page):
    assert unpack(empty_page.get("/api/series").content).header["size"] == 0
    clock = empty_page.get("/api/clock").json()
    assert clock["years"] == []
    # The first reading may be of any time.
    change = pd.Timestamp("2026-11-01T06:00Z").value // 10**9
    assert {"start": change, "minutes": -300, "name": "EST"} in clock["offsets"]
    assert [m["name"] for m in empty_page.get("/api/meters").json()["meters"]] == ["m"]
