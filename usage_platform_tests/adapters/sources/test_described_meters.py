"""Files of meters that people describe: each meter is read by its own words."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Quantity, Sign, Stamp, Unit
from usage_platform.core.meter_descriptions.description import MeterDescription
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.summary import one_line, summary_of
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.adapters.sources.described_files import METER, kw, rows, understood

REGISTER = MeterDescription(name="east", quantity=Quantity.REGISTER, unit=Unit.KWH)
POWER = MeterDescription(name="west", quantity=Quantity.POWER, unit=Unit.KW)


@pytest.fixture
def understand(tmp_path):
    return partial(understood, tmp_path / "f.csv")


LONG = (
    "meter,time,value\n"
    + rows("2024-03-05", [10, 11, 13, 13.5], "east")
    + rows("2024-03-05", [2, 3, 4], "west")
)


def test_meters_of_one_file_may_be_in_different_quantities_and_units(understand):
    found = understand(LONG, REGISTER, POWER)
    assert kw(found, "east") == [4, 8, 2]
    assert kw(found, "west") == [2, 3, 4]
    frame = found.readings.frame
    assert frame["ts"].is_monotonic_increasing
    assert frame.loc[frame["ts"] == frame["ts"].iloc[0], "meter"].tolist() == ["east", "west"]
    assert found.readings.rows == 7
    assert one_line(found).endswith(
        "east as register in kWh, every 15 minutes, to readings of 15 minutes in Europe/Rome; "
        "west as power in kW, stamped at the start, every 15 minutes, to readings of 15 minutes in "
        "Europe/Rome"
    )
    properties = {one.name: one for one in summary_of(found, METER, FileOptions()).properties}
    assert (properties["unit"].value, properties["unit"].option) == ("kWh, kW", ())


def test_a_meter_that_nobody_describes_is_read_as_before(understand):
    found = understand(LONG, POWER)
    assert [one.option for one in found.uncertain] == ["--quantity register --unit kWh"]
    assert len(found.parts) == 2


def test_zone_interval_and_sign_are_those_of_the_meter(understand):
    there = MeterDescription(
        name="west", unit=Unit.KW, timezone="Asia/Kolkata", interval=30, sign=Sign.NET
    )
    text = "meter,time,kW\n" + rows("2024-03-05", [1, -3, 2, 2], "west")
    found = understand(text + rows("2024-03-05", [1, -3, 2, 2], "north"), there)
    assert kw(found, "west") == [-1, 2]
    frame = found.readings.frame
    assert frame.loc[frame["meter"] == "west", "ts"].iloc[0] == pd.Timestamp("2024-03-04T18:30Z")
    assert [row.text for row in found.readings.bad_rows] == ["-3"]
    assert found.readings.meters == (
        Meter("west", "Asia/Kolkata", 30, Sign.NET),
        Meter("north", "Europe/Rome", 15),
    )


def test_columns_of_meters_may_be_in_different_units(understand):
    text = "time,east (kWh),west\n2024-03-05 00:00,2,2\n2024-03-05 00:15,1,3\n"
    energy = MeterDescription(name="east", quantity=Quantity.ENERGY)
    found = understand(text, energy, POWER)
    assert kw(found, "east") == [8, 4]
    assert kw(found, "west") == [2, 3]
    assert kw(understand(text, POWER), "east") == [8, 4]


def test_the_meter_of_the_settings_is_described_too(understand):
    text = "time,value\n" + rows("2024-03-05", [100, 101])
    found = understand(text, REGISTER, meter=Meter("east", "Europe/Rome", 15))
    assert kw(found, "east") == [4]


def test_values_are_multiplied_by_the_factor(understand):
    said = REGISTER.model_copy(update={"factor": 80.0})
    assert kw(
        understand(
            "time,value\n" + rows("2024-03-05", [1, 2]),
            said,
            meter=Meter("east", "Europe/Rome", 15),
        ),
        "east",
    ) == [320]


def test_a_register_begins_at_0_again_at_its_size(understand):
    said = REGISTER.model_copy(update={"register_size": 500.0})
    text = "meter,time,value\n" + rows("2024-03-05", [498, 499, 1, 2], "east")
    found = understand(text, said)
    assert kw(found, "east") == [4, 8, 4]
    assert "rolled over" in found.notes[0]
    with pytest.raises(SourceError, match=r"f\.csv:3: the register shows 499, but meter east beg"):
        understand(text, REGISTER.model_copy(update={"register_size": 499.0}))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"unit": Unit.KWH}, "meter west: unit: the file says kW, but --unit says kWh; leave out"),
        ({"quantity": Quantity.ENERGY}, "meter west: quantity: the file says power, but --qua"),
        ({"stamp": Stamp.END}, "meter west: stamp: the file says start, but --stamp says end"),
        ({"sign": Sign.NET}, "meter west: sign: the file says consumption, but --sign says net"),
    ],
)
def test_an_option_that_contradicts_a_description_is_refused(understand, options, error):
    said = POWER.model_copy(update={"stamp": Stamp.START, "sign": Sign.CONSUMPTION})
    with pytest.raises(SourceError, match=error):
        understand(LONG, said, **options)


def test_a_file_that_contradicts_a_description_is_refused(understand):
    text = "meter,interval start,kWh\n" + rows("2024-03-05", [3, 2], "west")
    said = MeterDescription(name="west", unit=Unit.WH, stamp=Stamp.END)
    found = understand(text, said)
    assert [(one.name, one.option) for one in found.uncertain] == [
        ("unit", "--unit Wh"),
        ("stamp", "--stamp end"),
    ]
    assert "f.csv: says kWh of its values, and assets/meters.yaml says Wh of meter west" in (
        found.uncertain[0].reason
    )
    assert kw(understand(text, said, unit=Unit.WH, stamp=Stamp.END), "west") == [0.012, 0.008]


def test_an_interval_shorter_than_the_step_names_the_file_to_correct(understand):
    text = "meter,time,kW\n" + rows("2024-03-05", [2, 3, 4, 5], "west", minutes=30)
    said = MeterDescription(name="west", interval=15)
    [one] = understand(text, said).uncertain
    assert (one.name, one.option) == ("interval", "")
    assert one.reason.endswith("(usage-platform meters set NAME --interval)")


def test_bad_rows_and_repeated_rows_are_counted_once(understand):
    text = LONG + "east,2024-03-05 00:00,10\nwest,soon,1\nwest,2024-03-05 01:00,x\n"
    readings = understand(text, REGISTER, POWER).readings
    assert [row.row for row in readings.bad_rows] == [10, 11]
    assert readings.repeated_rows == 1
    assert readings.rows == 10


@given(
    st.sampled_from([Unit.KWH, Unit.WH, Unit.MWH]),
    st.sampled_from([Unit.KW, Unit.W, Unit.MW]),
    st.lists(st.integers(0, 10**6), min_size=2, max_size=40),
    st.sampled_from(Stamp),
)
def test_the_same_series_in_any_words_gives_the_same_readings(
    tmp_path_factory, energy_unit, power_unit, watts, stamp
):
    values = np.array(watts) / 1000
    first = "2024-03-05 00:15" if stamp is Stamp.END else "2024-03-05"
    energy = [f"{value / 4 / energy_unit.scale():.12f}" for value in values]
    power = [f"{value / power_unit.scale():.12f}" for value in values]
    path: Path = tmp_path_factory.mktemp("files") / "f.csv"
    path.write_text("meter,time,value\n" + rows(first, energy, "east") + rows(first, power, "west"))
    said = FileOptions(
        meters={
            "east": MeterDescription(
                name="east", quantity=Quantity.ENERGY, unit=energy_unit, stamp=stamp
            ),
            "west": MeterDescription(
                name="west", quantity=Quantity.POWER, unit=power_unit, stamp=stamp
            ),
        }
    )
    found = CsvSource((path,), METER, options=said).understand(lambda done, of: None)
    np.testing.assert_allclose(kw(found, "east"), values, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(kw(found, "west"), values, rtol=1e-9, atol=1e-9)
