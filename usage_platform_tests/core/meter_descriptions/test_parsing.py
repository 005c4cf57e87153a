"""The content of `meters.yaml`: what is read, and what is said of what cannot be."""

from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.core.measurement import Quantity, Sign, Stamp, Unit
from usage_platform.core.meter_descriptions.description import Measured
from usage_platform.core.meter_descriptions.parsing import parse_descriptions, written_fields
from usage_platform_tests.core.meter_descriptions.made_descriptions import descriptions

FILE = """
meters:
  - name: 007
    timezone: Europe/Rome
    interval: 15
    quantity: register
    unit: kWh
    stamp: end
    sign: net
    register_size: 100000
    factor: 80
    versions:
      - valid_from: 2024-03-01
        quantity: energy
        factor: 1
      - valid_from: 2024-09-01
        unit: Wh
  - name: plain
"""


def parsed(text):
    return parse_descriptions(yaml_texts(text))


def test_a_file_is_read():
    found = parsed(FILE)
    assert list(found) == ["007", "plain"]
    one = found["007"]
    assert (one.timezone, one.interval) == ("Europe/Rome", 15)
    as_said = (Stamp.END, Sign.NET)
    assert (one.stamp, one.sign) == as_said
    assert one.phases() == (
        (None, Measured(Quantity.REGISTER, Unit.KWH, 100_000, 80, *as_said)),
        (date(2024, 3, 1), Measured(Quantity.ENERGY, Unit.KWH, None, 1, *as_said)),
        (date(2024, 9, 1), Measured(Quantity.ENERGY, Unit.WH, None, 1, *as_said)),
    )
    assert found["plain"].phases() == ((None, Measured()),)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "meters: []\n"])
def test_a_file_may_say_nothing(text):
    assert parsed(text) == {}


@given(st.lists(descriptions(), max_size=4, unique_by=lambda one: one.name))
def test_what_is_written_is_read_again(made):
    text = yaml.safe_dump({"meters": [written_fields(one) for one in made]}, allow_unicode=True)
    assert list(parsed(text).values()) == made


ONE = "meters:\n  - name: east\n    "
VERSION = f"{ONE}stamp: end\n    versions:\n      - valid_from: 2024-03-01\n        "
COARSER = VERSION.replace(ONE, f"{ONE}interval: 15\n    ") + "interval: 30"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            f"{ONE}unit: kwh",
            "meter east: unit: expected a value 'W', 'kW', 'MW', 'Wh', 'kWh', 'MWh'",
        ),
        (f"{ONE}quantity: volume", "meter east: quantity: expected a value 'power', 'energy' or"),
        (f"{ONE}stamp: middle", "meter east: stamp: expected a value 'start' or 'end', got 'mid"),
        (f"{ONE}sign: minus", "meter east: sign: expected a value 'consumption' or 'net', got '"),
        (f"{ONE}timezone: Rome", "meter east: timezone: expected an IANA time zone such as Am"),
        (f"{ONE}interval: 7", "meter east: interval: expected minutes that divide an hour: 1, 2"),
        (f"{ONE}interval: 15 min", "meter east: interval: expected minutes that divide an hour"),
        (f"{ONE}factor: 0", "meter east: factor: expected a value greater than 0"),
        (f"{ONE}factor: nan", "meter east: factor: "),
        (f"{ONE}factor: eighty", "meter east: factor: expected a number, got 'eighty'"),
        (f"{ONE}units: kWh", "meter east: units: unknown field; expected one of those in docs/m"),
        (
            f"{ONE}quantity: power\n    unit: kWh",
            "meter east: unit: expected W, kW, MW, m3/h or l/h for",
        ),
        (f"{ONE}register_size: 1000", "meter east: register_size: expected for the quantity reg"),
        (f"{VERSION}interval: 30", "meter east: interval: expected where a version has one (vers"),
        (
            f"{VERSION}interval: 7",
            "meter east: version 2024-03-01: interval: expected minutes that",
        ),
        (COARSER, "version 2024-03-01: interval: expected minutes that divide the meter"),
        (f"{VERSION}timezone: UTC", "meter east: version 2024-03-01: timezone cannot change from"),
        (f"{VERSION}unit: W\n        quantity: energy", "meter east: version 2024-03-01: unit: "),
        (VERSION.replace("2024-03-01", "March"), "version March: valid_from: expected a day suc"),
        (VERSION + "\n      - valid_from: 2024-02-01", "expected days in order, each once; 2024"),
        (VERSION.replace("stamp: end", "sign: net"), "stamp: expected start or end where there "),
        (f"{VERSION}samples: 3", "meter east: version 2024-03-01: samples: unknown field"),
        ("meters:\n  - unit: kWh", "meter 1: name: expected this field, which is missing"),
        ("meters:\n  - name: ' '", "meter  : name: expected a name of 1 to 200 printable charac"),
        ("meters:\n  - name: a\n  - name: a", "meter a: name: expected each name once, got it 2"),
        ("meters:\n  east:\n    unit: kWh", "meters: expected a list"),
        ("meters:\n  - east", "meter 1: expected fields, a line each"),
        ("meter:\n  - name: a", "meter: unknown field"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text, error):
    with pytest.raises(ValueError) as raised:
        parsed(text)
    line = str(raised.value)
    assert error in line
    assert "\n" not in line
