"""A water meter on the page: its unit beside its numbers, and no kWh and no cost."""

import io

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform_tests.web.conftest import client_of
from usage_platform_tests.web.made_water import LIBRARY, POOL, WATER, fill_with_water

A_WEEK = {"from": 1704171600, "to": 1704776400}


@pytest.fixture(scope="module")
def water_lake(tmp_path_factory):
    return fill_with_water(tmp_path_factory.mktemp("water"))


@pytest.fixture(scope="module")
def water_page(water_lake):
    return client_of(water_lake)


def asked(page, path: str, *names: str, **query: object):
    return page.get(f"/api/{path}", params={"meter": list(names), **query})


def test_each_meter_says_its_unit(water_page):
    listed = {one["name"]: one for one in water_page.get("/api/meters").json()["meters"]}
    assert (listed["m"]["unit"], listed["m"]["amount"]) == ("kW", "kWh")
    assert (listed[WATER.name]["unit"], listed[WATER.name]["amount"]) == ("m3/h", "m3")


def test_hours_of_water_have_no_energy_and_days_no_cost(water_page):
    hours = asked(water_page, "hours", WATER.name, **A_WEEK).json()["rows"]
    assert hours
    assert {hour["energy_kwh"] for hour in hours} == {None}
    said = asked(water_page, "overview", WATER.name).json()
    assert {day["cost"] for day in said["days"]} == {None}
    assert {day["cost"] for day in asked(water_page, "overview", "m").json()["days"]} != {None}


def test_episodes_say_m3_and_no_energy(water_page):
    [episode] = asked(water_page, "episodes", WATER.name).json()["episodes"]
    assert "m3/h" in episode["explanation"]
    assert "kW" not in episode["explanation"]
    assert episode["excess_kwh"] is None


def test_the_fleet_names_the_unit_and_adds_no_volume_up(water_page):
    rows = {row["name"]: row for row in water_page.get("/api/fleet").json()["rows"]}
    water, power = rows[WATER.name], rows["m"]
    assert (water["unit"], power["unit"]) == ("m3/h", "kW")
    assert max(value or 0 for value in water["line"]) > 0
    assert {water[span][key] for span in ("week", "month") for key in water["week"]} == {None}
    assert power["week"]["kwh"] > 0
    shown = water_page.get("/api/fleet/map").json()
    assert [tile["name"] for tile in shown["tiles"]] == ["m"]
    assert shown["others"]["meters"] == 0


def test_one_chart_shows_meters_of_one_unit(water_page):
    both = asked(water_page, "overlay", WATER.name, POOL.name, **A_WEEK).json()
    assert (both["unit"], both["amount"]) == ("m3/h", "m3")
    assert np.nanmax(np.array(both["meters"][0]["power"], dtype=np.float64)) > 0
    mixed = asked(water_page, "overlay", "m", WATER.name, **A_WEEK)
    assert mixed.status_code == 400
    assert f"'m' is read in kW and '{WATER.name}' in m3/h" in mixed.text


def test_a_group_of_mixed_units_is_refused_and_the_meters_stay(water_lake):
    text = f"sites: [{{name: s, buildings: [{{name: b, meters: [m, {WATER.name}]}}]}}]"
    LakeFiles(water_lake.assets).write_text("groups.yaml", text)
    said = client_of(water_lake).get("/api/fleet").json()
    assert f"s: meter '{WATER.name}' is read in m3/h" in said["groups_error"]
    assert said["groups"] == []
    assert {row["name"] for row in said["rows"]} == {LIBRARY.name, WATER.name, POOL.name}


def test_an_export_of_water_names_its_unit(water_page):
    def exported(name: str, what: str) -> pd.DataFrame:
        return pd.read_csv(
            io.BytesIO(asked(water_page, "export", name, what=what, **A_WEEK).content)
        )

    for what in ("hours", "readings", "episodes"):
        rows = exported(WATER.name, what)
        assert not [name for name in rows.columns if name.endswith("kw")], what
        assert set(rows.get("unit", ["m3/h"])) <= {"m3/h"}
    assert set(exported(WATER.name, "readings")["unit"]) == {"m3/h"}
    assert "kw" in exported(LIBRARY.name, "readings")
    assert "unit" not in exported(LIBRARY.name, "readings")
