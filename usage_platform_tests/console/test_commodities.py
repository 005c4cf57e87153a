"""What the commands say of meters of water and gas."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from usage_platform.console.cli import main
from usage_platform_tests.fixtures.meter_file_kinds import FOLDER, VALUES

WATER = str(FOLDER / "water.csv")


@pytest.fixture
def data(tmp_path) -> Path:
    return tmp_path / "data"


def run(data: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *args], terminal_width=200)


def test_inspect_names_the_unit_of_readings_beside_the_files(data):
    done = run(data, "inspect", WATER, "--interval", "15", "--json")
    found = json.loads(done.output)
    assert done.exit_code == 0
    assert found["properties"]["unit"] == {"value": "m3", "certainty": "certain"}
    assert found["properties"]["quantity"]["value"] == "register"
    first = found["first"][0]
    assert (first["kw"], first["value"], first["unit"]) == (None, VALUES[0], "m3/h")
    shown = run(data, "inspect", WATER, "--interval", "15").output
    assert "m3/h" in shown
    assert "kW" not in shown


@pytest.mark.parametrize(("factor", "unit"), [(None, "m3/h"), ("10.6", "kW")])
def test_a_described_meter_is_listed_with_the_unit_of_its_readings(data, factor, unit):
    more = [] if factor is None else ["--factor", factor]
    assert run(data, "meters", "add", "gas", "--quantity", "register", "--unit", "m3", *more).output
    [found] = json.loads(run(data, "meters", "list", "--json").output)
    assert (found["unit"], found["readings_in"]) == ("m3", unit)
    listed = "".join(run(data, "meters", "list").output.split())
    assert ("m3/h" in listed) == (factor is None)
    assert f"readings_in: {unit}" in run(data, "meters", "show", "gas").output.splitlines()


def test_a_bill_of_water_is_refused_in_one_line(data):
    run(data, "meters", "add", "water", "--quantity", "register", "--unit", "m3")
    done = run(data, "bill", "--meter", "water")
    assert done.exit_code == 1
    assert "bill: water is read in m3/h, and tariffs price kWh" in done.output


def test_a_replay_of_water_names_the_unit_in_each_row(data, tmp_path):
    out = tmp_path / "scored.csv"
    done = run(data, "replay", "--csv", WATER, "--interval", "15", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert set(pd.read_csv(out)["unit"]) == {"m3/h"}
    power = tmp_path / "power.csv"
    kw = str(FOLDER / "kw.csv")
    run(data, "replay", "--csv", kw, "--interval", "15", "--out", str(power))
    assert "unit" not in pd.read_csv(power)
