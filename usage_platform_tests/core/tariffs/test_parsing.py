"""A tariff file's mistakes: one line that names file, tariff and field, and what was expected."""

import re

import pytest

from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.core.tariffs.parsing import TariffError, parse_tariffs
from usage_platform_tests.repository import ROOT

GOOD = """
tariffs:
  - name: campus
    meters: [library, annex]
    unit: EUR
    holidays: US-MA
    versions:
      - valid_from: 2024-01-01
        energy:
          - {name: peak, days: [weekdays], hours: ["08:00-20:00"], price: 0.30}
          - {name: other, price: 0.20}
        demand:
          - {name: demand, price: 9, window_minutes: 15, ratchet: {percent: 80, months: 11}}
      - valid_from: 2024-06-01
        energy:
          - name: energy
            tiers:
              - {up_to_kwh: 100, price: 0.1}
              - {price: 0.2}
  - name: grid
    meters: all
    unit: gCO2
    versions:
      - valid_from: 2024-01-01
        energy:
          - {name: grid mix, price: 381}
"""
CAMPUS = "tariff campus: version 2024-01-01: "


def book(text):
    return parse_tariffs(yaml_texts(text), "lake/assets/tariffs.yaml")


def test_the_example_of_the_documentation_is_valid():
    text = (ROOT / "docs" / "tariffs.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    found = book(example)
    assert [tariff.name for tariff in found.tariffs] == ["campus", "grid mix"]
    assert found.money("annex").longest_ratchet == 11


def test_a_meter_has_the_tariff_that_names_it_before_the_one_for_all():
    found = book(GOOD)
    assert found.money("library").name == "campus"
    assert found.money("gym") is None
    assert found.carbon("library").name == found.carbon("gym").name == "grid"
    twice = book(GOOD.replace("unit: gCO2", "unit: USD"))
    assert (twice.money("library").name, twice.money("gym").name) == ("campus", "grid")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("price: 0.30", 'price: "0,30"', "energy peak: price: expected a number such as 0.25"),
        ("price: 0.30", "price: .nan", "got '.nan'"),
        ("price: 0.30", "price: 0.123456789", "at most 8 decimals, got '0.123456789'"),
        ("price: 0.30", "cost: 0.30", "energy peak: cost: unknown field; expected one of those"),
        (", price: 0.30", "", "energy peak: expected either price or tiers"),
        ("[weekdays]", "[workdays]", "energy peak: days: expected a list of mon, tue"),
        ("[weekdays]", "weekdays", "energy peak: days: expected a list of mon, tue"),
        ('"08:00-20:00"', "8-20", "hours 1: expected a start and an end such as 08:00-20:00"),
        ('"08:00-20:00"', '"08:00-24:01"', "hours 1: expected a start and an end"),
        ('"08:00-20:00"', '"08:00-08:00"', "hours 1: expected a start and an end"),
        ("name: other", "name: peak", "energy: expected each name once, got 'peak' again"),
        (
            "{name: other, price: 0.20}",
            '{name: other, hours: ["19:30-24:00"], price: 0.2}',
            "energy: expected one price on 01-01, mon, 19:30; got peak, other",
        ),
        (
            "{name: other, price: 0.20}",
            '{name: other, hours: ["20:00-08:00"], price: 0.2}',
            "energy: expected a price at all times, got none on 01-01, sat, 08:00; add a period",
        ),
        (
            "{name: other, price: 0.20}",
            "{name: weekend, days: [weekend], price: 0.2}",
            "energy: expected a price at all times, got none on 01-01, mon, 00:00; add a period",
        ),
        (
            "holidays: US-MA",
            "holidays: Atlantis",
            "tariff campus: holidays: 'Atlantis' is not known",
        ),
        (
            "window_minutes: 15",
            "window_minutes: 20",
            "window_minutes: expected 5, 10, 15, 30 or 60",
        ),
        ("months: 11", "months: eleven", "ratchet: months: expected a whole number, got 'eleven'"),
        ("percent: 80", "percent: 120", "percent: expected a value less than or equal to 100"),
        ("2024-06-01", "2023-06-01", "versions: expected each valid_from to be later"),
        ("2024-06-01", "1 June", "expected a day such as 2024-03-05, got '1 June'"),
        ("up_to_kwh: 100, ", "", "tiers: expected up_to_kwh in each tier but the last one"),
        ("{price: 0.2}\n", "{up_to_kwh: 9, price: 1}\n", "expected up_to_kwh in each tier but"),
        ("unit: EUR", "unit: euro", "unit: expected a currency such as EUR, or gCO2, got 'euro'"),
        ("[library, annex]", "library", "meters: expected a list of names of meters, or all"),
        ("[library, annex]", "[]", "meters: expected a list of names of meters, or all"),
        ("[library, annex]", "[library, library]", "meters: expected each meter once"),
        ("name: grid\n", "name: campus\n", "name: expected each name once, got it 2 times"),
        ("unit: gCO2", "unit: gCO2\n    factor: 1", "factor: unknown field; expected one of those"),
        (
            "meters: all\n    unit: gCO2",
            "meters: [annex]\n    unit: USD",
            "got it in tariff campus too",
        ),
        (
            "{name: grid mix, price: 381}",
            "{name: grid mix, price: 381}\n        taxes:\n          - {name: VAT, percent: 1}",
            "tariff grid: version 2024-01-01: expected only energy and export in a tariff in gCO2",
        ),
        (
            "valid_from: 2024-06-01",
            "valid: 2024-06-01",
            "version 2: valid_from: expected this field",
        ),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_write(old, new, line):
    assert old in GOOD
    with pytest.raises(TariffError) as caught:
        book(GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert message.startswith("lake/assets/tariffs.yaml: ")
    assert line in message
    assert "\n" not in message


def test_the_error_names_tariff_version_and_period():
    with pytest.raises(TariffError) as caught:
        book(GOOD.replace("0.30", "x"))
    assert str(caught.value) == (
        "lake/assets/tariffs.yaml: tariff campus: version 2024-01-01: energy peak: price: expected "
        "a number such as 0.25, with a point and at most 8 decimals, got 'x'"
    )


@pytest.mark.parametrize("text", ["", "tariffs: x", "- a", "tariff: []", "tariffs: [x]"])
def test_a_file_of_another_form_is_one_line(text):
    with pytest.raises(TariffError, match=r"^lake/assets/tariffs.yaml: .*expected.*$"):
        book(text)


def test_holidays_without_a_country_are_refused():
    text = GOOD.replace("    holidays: US-MA\n", "").replace("[weekdays]", "[mon, holidays]")
    with pytest.raises(TariffError, match="expected the field holidays of the tariff"):
        book(text)


def test_a_field_that_comes_twice_is_refused():
    with pytest.raises(ValueError, match="'unit' is given twice"):
        book(GOOD.replace("unit: EUR", "unit: EUR\n    unit: USD"))


def test_a_number_never_passes_through_a_binary_fraction():
    price = book(GOOD.replace("0.30", "0.1")).tariffs[0].versions[0].energy[0].price
    assert str(price) == "0.1"
