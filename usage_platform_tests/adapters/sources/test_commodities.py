"""Files of water, gas and heat: which unit their readings get, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Quantity, ReadingUnit, Unit
from usage_platform.core.meter_descriptions.description import MeterDescription
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.readings import refuse_uncertain
from usage_platform.core.meter_files.summary import one_line
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.fixtures.meter_file_kinds import FOLDER, VALUES

METER = Meter("site", "America/New_York", 15)
VOLUMES = ("water.csv", "water_litres.csv", "flow.csv", "gas.csv")


def understood(path: Path, options: FileOptions | None = None, name: str = METER.name):
    meter = Meter(name, METER.timezone, METER.interval_minutes)
    return CsvSource((path,), meter, options=options or FileOptions()).understand(
        lambda done, of: None
    )


def written(tmp_path, header: str, *rows: str) -> Path:
    path = tmp_path / "f.csv"
    hours = (f"2024-03-05 00:{at * 15:02},{row}" for at, row in enumerate(rows))
    path.write_text("\n".join([f"time,{header}", *hours]))
    return path


@pytest.mark.parametrize(
    ("name", "unit"),
    [*((name, ReadingUnit.M3_H) for name in VOLUMES), ("heat.csv", ReadingUnit.KW)],
)
def test_a_volume_is_read_as_a_flow_and_heat_as_power(name, unit):
    found = understood(FOLDER / name)
    [meter] = refuse_uncertain(found).meters
    assert meter.unit is unit
    assert ("(readings in m3/h)" in one_line(found)) == (unit is ReadingUnit.M3_H)


@pytest.mark.parametrize(("name", "kwh"), [("gas.csv", 10.5), ("water_litres.csv", 0.04)])
def test_with_a_factor_a_volume_is_read_as_power(name, kwh):
    unit, quantity = (
        (Unit.M3, Quantity.REGISTER) if name == "gas.csv" else (Unit.L, Quantity.ENERGY)
    )
    said = MeterDescription(name="site", quantity=quantity, unit=unit, stamp="start", factor=kwh)
    found = understood(FOLDER / name, FileOptions(meters={"site": said}))
    readings = refuse_uncertain(found)
    assert [meter.unit for meter in readings.meters] == [ReadingUnit.KW]
    # The factor is of one m3 or one l, whichever the values are in.
    of_m3 = kwh if unit is Unit.M3 else kwh * 1000
    np.testing.assert_allclose(readings.frame["value"], np.array(VALUES) * of_m3, rtol=1e-9)


def test_a_described_unit_contradicted_by_the_file_is_refused():
    said = MeterDescription(name="site", quantity=Quantity.REGISTER, unit=Unit.KWH)
    with pytest.raises(SourceError, match=r"says m3 of its values, and .* says kWh of meter site"):
        refuse_uncertain(understood(FOLDER / "water.csv", FileOptions(meters={"site": said})))


@pytest.mark.parametrize("header", ["Usage (gallons)", "Gas CCF", "Volume ft3", "Heat (GJ)"])
def test_a_unit_that_cannot_be_read_is_refused_by_its_name(tmp_path, header):
    path = written(tmp_path, header, "1", "3", "2")
    with pytest.raises(SourceError, match=r"its values are in '.+'; expected one of W, kW") as no:
        refuse_uncertain(understood(path))
    assert "m3" in str(no.value)
    assert "\n" not in str(no.value)


def test_a_unit_column_that_cannot_be_read_is_refused(tmp_path):
    path = written(tmp_path, "value,unit", "1,gal", "3,gal", "2,gal")
    with pytest.raises(SourceError, match="its values are in 'gal'"):
        refuse_uncertain(understood(path))


def test_an_export_of_electricity_and_gas_is_one_of_electricity(tmp_path):
    path = written(tmp_path, "Electricity (kWh),Gas (m3)", "1.5,7", "3.5,9", "2.5,8")
    readings = refuse_uncertain(understood(path))
    assert readings.meters[0].unit is ReadingUnit.KW
    assert readings.frame["value"].tolist() == [6, 14, 10]


def test_phases_are_no_litres(tmp_path):
    path = written(tmp_path, "L1", "1", "3", "2")
    with pytest.raises(SourceError, match="nothing says whether 'L1' is in kW or kWh"):
        refuse_uncertain(understood(path))


def test_files_of_two_commodities_are_not_read_as_one_meter(tmp_path):
    water, power = tmp_path / "a.csv", tmp_path / "b.csv"
    water.write_text("time,Water (m3)\n2024-03-05 00:00,1\n2024-03-05 00:15,3\n2024-03-05 00:30,2")
    power.write_text("time,kWh\n2024-03-05 00:45,1\n2024-03-05 01:00,3\n2024-03-05 01:15,2")
    found = CsvSource((water, power), METER).understand(lambda done, of: None)
    with pytest.raises(SourceError, match="some files are in m3 and others in kWh"):
        refuse_uncertain(found)
