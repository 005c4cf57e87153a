"""`usage-platform bill` and `usage-platform tariffs`: for people, for programs, and mistakes."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.console.cli import main

ZONE = "America/New_York"
FILE = """
tariffs:
  - name: campus
    meters: [library]
    unit: USD
    versions:
      - valid_from: 2024-01-01
        energy:
          - {name: night, hours: ["22:00-06:00"], price: 0.10}
          - {name: day, price: 0.20}
        standing: [{price: 15, per: month}]
        demand: [{name: demand, price: 4, window_minutes: 60}]
        taxes: [{name: tax, percent: 5}]
  - name: grid
    meters: all
    unit: gCO2
    decimals: 0
    versions:
      - valid_from: 2024-01-01
        energy: [{name: mix, price: 400}]
"""


@pytest.fixture
def data(tmp_path, write_table):
    """A data folder with the readings of two meters from March 2024 to 10 April, 04:00 UTC."""
    times = pd.date_range("2024-03-01", "2024-04-10T03:00", freq="h", tz="UTC")
    for meter, kw in (("library", 10.0), ("annex", 1.0)):
        rows = pd.DataFrame(
            {"meter": meter, "event_time": times, "event_date": times.date, "value": kw}
        )
        rows.loc[rows["event_time"] == "2024-04-03T14:00Z", "value"] = 25.0
        gone = (times >= "2024-04-05T10:00Z") & (times < "2024-04-05T13:00Z")
        write_table(Lake(str(tmp_path / "lake")), READINGS, rows[~gone])
    assets = tmp_path / "lake" / "assets"
    assets.mkdir()
    (assets / "tariffs.yaml").write_text(FILE)
    return tmp_path


@pytest.fixture
def run(data, monkeypatch):
    """Run a command at noon of 10 April 2024."""
    monkeypatch.setenv("USAGE_TIMEZONE", ZONE)
    monkeypatch.setenv("USAGE_INTERVAL_MINUTES", "60")
    monkeypatch.setenv("COLUMNS", "120")
    now = pd.Timestamp("2024-04-10T04:00Z")
    monkeypatch.setattr(pd.Timestamp, "now", lambda tz=None: now)
    return lambda *args: CliRunner().invoke(main, ["--data", str(data), *args])


def test_a_bill_so_far_for_people(run):
    done = run("bill", "--meter", "library")
    assert done.exit_code == 0, done.output
    lines = [" ".join(line.split()) for line in done.output.splitlines() if line.strip()]
    # 9 days: 72 night hours; 144 day hours less 3 missing, one of them with 15 kW more.
    assert lines[:2] == [
        "library, 2024-04, so far, tariff campus in USD",
        "line quantity price amount set",
    ]
    assert lines[3:8] == [
        "night 720.000 kWh 0.10 72.00",
        "day 1,425.000 kWh 0.20 285.00",
        "standing charge 0.333 months 15 5.00",
        "demand 25.000 kW 4 100.00 2024-04-03 10:00-0400",
        "tax 462.000 USD 5 % 23.10",
    ]
    assert lines[8:11] == [
        "total 485.10",
        "missing: 3.00 hours without readings: 2024-04-05 06:00-0400 to 2024-04-05 09:00-0400",
        # 240 night hours; 480 day hours, 15 kWh more, and 3 kWh more on each of three Wednesdays to
        # come: the mean of five is 13 kW. 240.00 + 964.80 + 15 + 100, and 5 % of that: 65.99.
        "projection of the whole month, missing readings estimated: 1,385.79 USD",
    ]
    assert "858.000 kg CO2" in done.output


def test_a_bill_for_programs(run):
    done = run("bill", "--meter", "library", "--month", "2024-03", "--json")
    found = json.loads(done.output)
    assert (found["meter"], found["month"], found["is_over"]) == ("library", "2024-03", True)
    # The lake begins at midnight UTC: March has 743 hours here, of which none is missing.
    assert (found["expected_readings"], found["readings"], found["gaps"]) == (743, 743, [])
    money, carbon = found["bills"]
    assert (money["unit"], money["projected_total"]) == ("USD", None)
    assert money["lines"][0] == {
        "kind": "energy",
        "name": "night",
        "quantity": 2470.0,
        "quantity_unit": "kWh",
        "price": "0.10",
        "share_of_month": 1.0,
        "amount": "247.00",
        "set_at": None,
        "set_by": None,
    }
    (demand,) = [line for line in money["lines"] if line["kind"] == "demand"]
    assert (demand["set_at"], demand["set_by"]) == ("2024-03-01T00:00:00-05:00", "peak")
    assert (carbon["unit"], carbon["total"]) == ("gCO2", "2972000")


def test_without_a_file_the_price_of_the_settings_counts(run, data, monkeypatch):
    (data / "lake" / "assets" / "tariffs.yaml").unlink()
    monkeypatch.setenv("USAGE_TARIFF", "0.25")
    done = run("bill", "--meter", "annex", "--month", "2024-03", "--json")
    (bill,) = json.loads(done.output)["bills"]
    assert (bill["tariff"], bill["unit"], bill["total"]) == ("flat price", "USD", "185.75")


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--month", "May"), "bill: expected a month such as 2024-05, got 'May'"),
        (("--month", "2024-13"), "bill: expected a month such as 2024-05, got '2024-13'"),
        (("--month", "2023-05", "--meter", "library"), "bill: library has no readings in 2023-05"),
        (("--month", "2024-03", "--meter", "gym"), "bill: gym has no readings in 2024-03"),
    ],
)
def test_a_mistake_is_one_line(run, args, line):
    done = run("bill", *args)
    assert done.exit_code == 1
    assert line in done.output
    assert done.output.count("\n") == 1


def test_a_meter_without_a_tariff_is_told_where_to_write_one(run, data):
    (data / "lake" / "assets" / "tariffs.yaml").unlink()
    done = run("bill", "--meter", "library")
    assert done.exit_code == 1
    assert f"bill: no tariff is for library; expected one in {data}/lake/assets" in done.output


def test_the_tariffs_are_listed(run):
    done = run("tariffs")
    assert done.exit_code == 0
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert "grid gCO2 2024-01-01 mix all others" in lines
    assert any(line.startswith("campus USD 2024-01-01 night, day, standing") for line in lines)


def test_a_name_that_looks_like_markup_is_shown_as_it_is(run, data):
    file = data / "lake" / "assets" / "tariffs.yaml"
    file.write_text(
        FILE.replace("name: night", 'name: "[/b]"').replace("name: campus", "name: '[x]'")
    )
    done = run("bill", "--meter", "library")
    assert done.exit_code == 0
    assert "[/b]" in done.output
    assert "tariff [x] in USD" in done.output
    assert "[/b], day" in run("tariffs").output


def test_a_mistake_in_the_file_is_one_line(run, data):
    file = data / "lake" / "assets" / "tariffs.yaml"
    file.write_text(FILE.replace("price: 0.10", "price: ten"))
    for command in (("tariffs",), ("bill", "--meter", "library")):
        done = run(*command)
        assert done.exit_code == 1
        assert f"{file}: tariff campus: version 2024-01-01: energy night: price: " in done.output
        assert done.output.count("\n") == 1
    file.unlink()
    assert "no such file; docs/tariffs.md shows how to write one" in run("tariffs").output


def test_a_window_that_readings_cannot_show_names_the_file(run, data):
    file = data / "lake" / "assets" / "tariffs.yaml"
    file.write_text(FILE.replace("window_minutes: 60", "window_minutes: 15"))
    done = run("bill", "--meter", "library")
    assert done.exit_code == 1
    assert f"{file}: tariff campus: version 2024-01-01: demand demand: expected" in done.output
