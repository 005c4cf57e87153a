"""The parts of a group on top of each other, over HTTP."""

import math

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services import group_stack
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.web.conftest import client_of

START = pd.Timestamp("2024-10-20T00:00Z")
"""The clocks of Rome change a week later."""
HOURS = 10 * 24
NAMES = ("main", "kitchen", "pump", "dead")
GROUPS = """
sites:
  - name: Campus
    buildings:
      - {name: Hall, meters: [rest, kitchen, pump]}
      - {name: Depot, meters: [dead]}
virtual:
  - {name: rest, plus: [main], minus: [kitchen, pump]}
  - {name: with a dead one, plus: [main], minus: [kitchen, dead]}
"""


@pytest.fixture
def energy() -> dict[str, np.ndarray]:
    random = np.random.default_rng(4)
    kwh = {name: random.uniform(1, 9, HOURS).round(3) for name in NAMES}
    kwh["main"] += kwh["kitchen"] + kwh["pump"]
    kwh["pump"][20:25] = math.nan
    kwh["main"][30] = math.nan
    kwh["dead"][:] = math.nan
    kwh["kitchen"][40] += 100
    return kwh


@pytest.fixture
def page(lake, energy):
    meters = [Meter(name, "Europe/Rome", 60) for name in NAMES]
    assets = LakeFiles(lake.assets)
    save_meters(assets, MeterRegistry(meters[0]).with_meters(meters))
    assets.write_text("groups.yaml", GROUPS)
    write_hours(lake, energy)
    return client_of(lake)


def write_hours(lake: Lake, energy: dict[str, np.ndarray]) -> None:
    starts = pd.date_range(START, periods=HOURS, freq="h")
    for name, kwh in energy.items():
        there = np.isfinite(kwh)
        rows = pd.DataFrame({"meter": name, "start": starts, "energy_kwh": kwh})[there]
        rows = rows.assign(
            end=rows["start"] + pd.Timedelta(hours=1),
            avg_usage=rows["energy_kwh"],
            event_date=rows["start"].dt.date,
            last_reading=rows["start"],
            n=np.int32(1),
            expected_n=np.int32(1),
        )
        if len(rows):
            table_writer(lake, USAGE_HOURLY, rows)


def asked(page, name: str, first: int = 0, last: int = 7 * 24):
    begin = START.value // 10**9
    query = {"name": name, "from": begin + first * 3600, "to": begin + last * 3600}
    return page.get("/api/fleet/stack", params=query)


def test_the_sub_meters_and_the_rest_are_the_main_meter(page, energy):
    said = asked(page, "rest").json()
    assert (said["kind"], said["step_minutes"], said["hours"]) == ("virtual meter", 60, 168)
    assert [layer["name"] for layer in said["layers"]] == ["kitchen", "pump"]
    # Five hours of the pump and one of the main meter are missing.
    assert said["whole_hours"] == 168 - 6
    assert [layer["missing_hours"] for layer in said["layers"]] == [0, 5]
    whole = ~(np.isnan(energy["pump"]) | np.isnan(energy["main"]))[:168]
    rest = (energy["main"] - energy["kitchen"] - energy["pump"])[:168]
    shown = np.array(said["rest"]["power"], dtype=np.float64)
    np.testing.assert_allclose(shown[whole], rest[whole], atol=5e-4)
    assert np.isnan(shown[~whole]).all()
    assert said["rest"]["kwh"] == pytest.approx(math.fsum(rest[whole]))
    assert said["negative_hours"] == 1
    main = np.array(said["main"]["power"], dtype=np.float64)
    assert np.flatnonzero(np.isnan(main)).tolist() == [30]


def test_a_part_without_a_reading_is_absent_and_in_the_rest(page, energy):
    said = asked(page, "with a dead one").json()
    assert said["absent"] == ["dead"]
    assert [layer["name"] for layer in said["layers"]] == ["kitchen"]
    shown = np.array(said["rest"]["power"][:20], dtype=np.float64)
    np.testing.assert_allclose(shown, (energy["main"] - energy["kitchen"])[:20], atol=5e-4)


def test_a_building_is_the_sum_of_its_parts_and_a_site_of_its_buildings(page, energy):
    hall = asked(page, "Hall").json()
    assert (hall["rest"], hall["main"]) == (None, None)
    assert {layer["name"] for layer in hall["layers"]} == {"rest", "kitchen", "pump"}
    total = np.sum([np.array(one["power"], dtype=np.float64) for one in hall["layers"]], axis=0)
    whole = np.isfinite(total)
    np.testing.assert_allclose(total[whole], energy["main"][:168][whole], atol=2e-3)
    campus = asked(page, "Campus").json()
    assert [layer["name"] for layer in campus["layers"]] == ["Hall"]
    assert campus["absent"] == ["Depot"]
    # The pump is added and subtracted: the hall's sum does not need it.
    assert campus["whole_hours"] == 167


def test_a_long_span_is_shown_by_local_days_of_the_hours_that_are_whole(page, energy):
    said = asked(page, "rest", 0, 40 * 24).json()
    assert said["step_minutes"] == 1440
    at = pd.DatetimeIndex(pd.to_datetime(said["at"], unit="s", utc=True)).tz_convert("Europe/Rome")
    assert set(at.hour) == {0}
    day = list(at.strftime("%Y-%m-%d")).index("2024-10-27")
    start = int((pd.Timestamp("2024-10-26T22:00Z") - START) / pd.Timedelta(hours=1))
    rest = (energy["main"] - energy["kitchen"] - energy["pump"])[start : start + 25]
    assert said["rest"]["power"][day] == pytest.approx(rest.mean(), abs=1e-3)
    # On the first days hours of the pump and of the main meter are missing: of the main meter the
    # same hours are shown as of its parts.
    parts = [said["rest"], *said["layers"]]
    stacked = np.sum([np.array(one["power"], dtype=np.float64) for one in parts], axis=0)
    main = np.array(said["main"]["power"], dtype=np.float64)
    np.testing.assert_allclose(main, stacked, atol=3e-3)


def test_too_many_hours_of_too_many_meters_are_refused_in_one_line(page, monkeypatch):
    monkeypatch.setattr(group_stack, "MOST_METER_HOURS", 3 * 24 * 4)
    answer = asked(page, "rest")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("to: a group of 3 meters is shown for up to 4 days;")


def test_what_is_no_group_is_refused(page):
    assert asked(page, "none").status_code == 404
    assert asked(page, "rest", 5, 5).status_code == 400
    assert "<title>Parts of a group</title>" in page.get("/parts?name=rest").text


def test_what_the_page_has_already_is_not_sent_again(page):
    first = page.get("/api/fleet/stack?name=Hall")
    assert first.json()["hours"] == 168
    again = page.get("/api/fleet/stack?name=Hall", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
