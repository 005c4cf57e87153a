"""`usage-platform inspect` of files whose meters people describe."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from usage_platform.console.cli import main

TEXT = """\
meter,time,value
east,2024-03-05 00:00,500
east,2024-03-05 00:15,501
west,2024-03-05 00:00,-2
west,2024-03-05 00:15,3
"""


@pytest.fixture
def data(tmp_path):
    return str(tmp_path / "data")


@pytest.fixture
def run(data):
    def run(*args: str):
        argv = ["--data", data, *args]
        return CliRunner().invoke(main, argv, terminal_width=200)

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text(TEXT)
    return str(path)


def test_a_file_is_read_by_what_meters_add_has_said(run, file, data):
    interval = ("--interval", "15")
    assert run("inspect", file, *interval).exit_code == 1
    run("meters", "add", "east", "--quantity", "register", "--unit", "kWh")
    run("meters", "add", "west", "--quantity", "power", "--unit", "kW", "--sign", "net")
    done = run("inspect", file, "--json", *interval)
    found = json.loads(done.output)
    assert (done.exit_code, found["refused"], found["uncertain"]) == (0, None, [])
    assert [(one["meter"], one["kw"]) for one in found["first"]] == [
        ("east", 4),
        ("west", -2),
        ("west", 3),
    ]
    assert found["properties"]["unit"] == {"value": "kWh, kW", "certainty": "given"}
    assert found["properties"]["sign"]["value"] == "consumption, net"
    # A demo has another lake, and no option says two units.
    assert found["command"].startswith(f"usage-platform --data {data} up --csv")
    assert "--unit" not in found["command"]
    assert "kWh, kW" in run("inspect", file, *interval).output


def test_the_command_of_an_uncertain_file_says_that_its_last_options_are_to_be_checked(run, file):
    known = ("--interval", "15", "--sign", "net")
    (line,) = [x for x in run("inspect", file, *known).output.splitlines() if "play it: " in x]
    assert line.startswith("check the last options, which answer what is uncertain, and play it: ")
    assert line.endswith(" --quantity register --unit kWh")
    (line,) = run("inspect", file, *known, "--unit", "kW").output.splitlines()[-1:]
    assert line.startswith("play it: ")


@pytest.mark.parametrize(
    ("quantity", "unit"), [("power", "kW"), ("energy", "kWh"), ("register", "kWh")]
)
def test_the_option_that_settles_the_unit_fits_the_quantity_that_is_given(
    run, file, quantity, unit
):
    known = ("--interval", "15", "--sign", "net", "--quantity", quantity)
    found = json.loads(run("inspect", file, "--json", *known).output)
    assert [one["option"] for one in found["uncertain"]] == [f"--unit {unit}"]
    assert found["uncertain"][0]["reason"].endswith(f"such as --unit {unit}")
    assert run("inspect", file, *known, "--unit", unit).exit_code == 0


def test_beside_a_mistake_a_file_is_read_by_what_applies(run, file, data):
    run("meters", "add", "east", "--quantity", "register", "--unit", "kWh")
    run("meters", "add", "west", "--quantity", "power", "--unit", "kW", "--sign", "net")
    described = Path(data) / "lake" / "assets" / "meters.yaml"
    described.write_text(described.read_text().replace("kWh", "kwh"))
    done = run("inspect", file, "--json", "--interval", "15")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["properties"]["unit"]["value"] == "kWh, kW"
    assert "the last descriptions of meters without a mistake apply: " in done.stderr


def test_a_contradiction_is_one_line(run, file):
    run("meters", "add", "east", "--unit", "kWh")
    done = run("inspect", file, "--unit", "kW")
    assert done.exit_code == 1
    assert "assets/meters.yaml: meter east: unit: the file says kWh, but --unit says kW" in (
        done.output
    )
    assert done.output.count("\n") == 1
