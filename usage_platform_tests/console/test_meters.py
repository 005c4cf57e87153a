"""`usage-platform meters`: what it prints and writes, and how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.console.cli import main
from usage_platform.core.meters import Meter, MeterRegistry


@pytest.fixture
def data(tmp_path) -> Path:
    registry = MeterRegistry(Meter("main")).with_meters([Meter("pump", "Europe/Rome", 15)])
    save_meters(LakeFiles(str(tmp_path / "lake" / "assets")), registry)
    return tmp_path


def run(data: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), "meters", *args], terminal_width=200)


def test_a_meter_is_added_changed_and_shown(data):
    words = "--quantity register --unit kWh --register-size 1e5 --factor 80 --sign net"
    done = run(data, "add", "east", *words.split())
    file = data / "lake" / "assets" / "meters.yaml"
    assert done.output == (
        f"{file}: meter east: quantity register, unit kWh, sign net, register_size 100000, "
        "factor 80\n"
    )
    run(data, "set", "east", "--timezone", "Asia/Kolkata", "--interval", "30", "--stamp", "end")
    done = run(data, "set", "east", "--quantity", "energy", "--valid-from", "2024-03-01")
    assert done.exit_code == 0, done.output
    expected = {
        "name": "east",
        "timezone": "Asia/Kolkata",
        "interval": 30,
        "quantity": "register",
        "unit": "kWh",
        "stamp": "end",
        "sign": "net",
        "register_size": 100_000,
        "factor": 80,
        "samples": None,
        "versions": [{"valid_from": "2024-03-01", "quantity": "energy"}],
        "readings_in": "kW",
        "described_by": "people",
    }
    assert json.loads(run(data, "show", "east", "--json").output) == expected
    shown = run(data, "show", "east").output
    for line in ("interval: 30", "factor: 80", "from 2024-03-01: quantity energy"):
        assert line in shown.splitlines()
    assert json.loads(run(data, "list", "--json").output)[0] == expected


def test_the_list_has_the_meters_of_sources_too(data):
    run(data, "add", "east", "--unit", "Wh")
    shown = run(data, "list").output
    for text in ("east", "Wh", "people", "pump", "Europe/Rome", "its source"):
        assert text in shown
    fields = json.loads(run(data, "show", "pump", "--json").output)
    assert (fields["interval"], fields["unit"], fields["described_by"]) == (15, None, "source")


def test_without_a_file_the_list_says_how_to_begin(data):
    assert "add one with 'usage-platform meters add'" in run(data, "list").output


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["show", "east"], "no meter east; 'usage-platform meters list' lists all"),
        (["set", "east", "--unit", "kWh"], "meter east: is not described; add it with"),
        (["add", "east", "--interval", "7"], "meter east: interval: expected minutes that div"),
    ],
)
def test_a_mistake_is_one_line(data, args, error):
    done = run(data, *args)
    assert done.exit_code == 1
    assert error in done.output
    assert done.output.count("\n") == 1


def test_a_wrong_file_is_one_line_and_an_error(data):
    (data / "lake" / "assets" / "meters.yaml").write_text("meters: [{name: a, stamp: mid}]")
    done = run(data, "list")
    assert done.exit_code == 1
    assert "meters.yaml: meter a: stamp: expected a value 'start' or 'end', got 'mid'" in (
        done.output
    )


def test_beside_a_mistake_what_applies_is_listed_and_the_mistake_is_said(data):
    run(data, "add", "east", "--unit", "Wh")
    (data / "lake" / "assets" / "meters.yaml").write_text("meters: [{name: east, unit: wh}]")
    for args in (["list"], ["list", "--json"], ["show", "east"]):
        done = run(data, *args)
        assert done.exit_code == 1
        assert "Wh" in done.stdout
        assert "the last descriptions of meters without a mistake apply: " in done.stderr
        assert "meters.yaml: meter east: unit: expected" in done.stderr
    done = run(data, "check")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "meters.yaml: meter east: unit: expected" in done.stderr


def test_a_file_is_checked_before_it_is_copied_to_the_lake(data, tmp_path):
    file = tmp_path / "new.yaml"
    file.write_text("meters: [{name: east, unit: kWh}, {name: west}]")
    assert run(data, "check", str(file)).output == "meters: 2 described; nothing is wrong\n"
    for text, error in (
        ("meters: [{name: east, unit: kwh}]", f"{file}: meter east: unit: expected"),
        ("meters: [", f"{file}: line 1: expected YAML"),
        (
            "meters: [{name: central-library, timezone: Europe/Rome}]",
            f"{file}: meter central-library: timezone: the file says Europe/Rome, but USAGE_T",
        ),
    ):
        file.write_text(text)
        options = ["--data", str(data), "meters", "check", str(file)]
        done = CliRunner().invoke(main, options, env={"USAGE_TIMEZONE": "Asia/Kolkata"})
        assert done.exit_code == 1
        assert error in done.output
        assert done.output.count("\n") == 1
    file.write_bytes(b"\xff")
    assert f"{file}: expected UTF-8" in run(data, "check", str(file)).output
    # The lake's file, of which there is none.
    assert run(data, "check").output == "meters: 0 described; nothing is wrong\n"


def test_how_samples_are_read_is_shown_and_stays_when_another_field_changes(data):
    file = data / "lake" / "assets" / "meters.yaml"
    file.write_text(
        "meters:\n- name: p1\n  samples:\n    path: [$.t1, $.t2]\n    quantity: register\n"
        "    unit: kWh\n"
    )
    assert run(data, "set", "p1", "--interval", "15").exit_code == 0
    shown = run(data, "show", "p1").output
    assert "samples: path $.t1 + $.t2, quantity register, unit kWh\n" in shown
    samples = {"path": ["$.t1", "$.t2"], "quantity": "register", "unit": "kWh"}
    assert json.loads(run(data, "show", "p1", "--json").output)["samples"] == samples
