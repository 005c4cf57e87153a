"""Meters whose description changes from a day on: each row is read by the version of its day."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.core.measurement import Quantity, Sign, Stamp, Unit
from usage_platform.core.meter_descriptions.description import MeterDescription, Version
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.adapters.sources.described_files import (
    REGISTER,
    kw,
    rows,
    understanding_in,
)


@pytest.fixture
def understand(tmp_path):
    return understanding_in(tmp_path)


VERSIONS = MeterDescription(
    name="east",
    quantity=Quantity.POWER,
    unit=Unit.KW,
    stamp=Stamp.START,
    versions=(Version(valid_from=date(2024, 3, 6), quantity=Quantity.ENERGY, unit=Unit.KWH),),
)


@pytest.mark.parametrize("header", ["time", "time_utc"])
def test_a_version_holds_from_local_midnight_on(understand, header):
    first = "2024-03-05 23:30" if header == "time" else "2024-03-05 22:30"
    text = f"meter,{header},value\n" + rows(first, [1, 1, 1, 1], "east")
    assert kw(understand(text, VERSIONS), "east") == [1, 1, 4, 4]


def test_with_end_stamps_the_row_at_midnight_is_of_the_version_before(understand):
    said = VERSIONS.model_copy(update={"stamp": Stamp.END})
    text = "meter,time,value\n" + rows("2024-03-05 23:45", [1, 1, 1], "east")
    found = understand(text, said)
    assert kw(found, "east") == [1, 1, 4]
    assert found.readings.frame["ts"].iloc[0] == pd.Timestamp("2024-03-05T22:30Z")


def version_of(first: dict, second: dict) -> MeterDescription:
    """A meter in kW that is another way from 2024-03-06 on."""
    version = Version(valid_from=date(2024, 3, 6), **second)
    fields = {"unit": Unit.KW, "stamp": Stamp.START} | first
    return MeterDescription(name="east", quantity=Quantity.POWER, versions=(version,), **fields)


def test_the_sign_of_a_version_holds_for_its_rows(understand):
    text = "meter,time,value\n" + rows("2024-03-05 23:30", [-1, 2, -3, 4], "east")
    found = understand(text, version_of({}, {"sign": Sign.NET})).readings
    assert found.frame["value"].tolist() == [2, -3, 4]
    (bad,) = found.bad_rows
    assert (bad.row, bad.reason.partition(";")[0]) == (2, "is below 0")
    assert [(meter.name, meter.is_net) for meter in found.meters] == [("east", True)]


def test_from_end_to_start_the_row_at_midnight_is_of_the_new_version(understand):
    said = version_of({"stamp": Stamp.END}, {"stamp": Stamp.START})
    text = "meter,time,value\n" + rows("2024-03-05 23:30", [1, 2, 3, 4], "east")
    frame = understand(text, said).readings.frame
    # In UTC; the one before midnight is missing.
    assert frame["ts"].dt.strftime("%H:%M").tolist() == ["22:15", "22:30", "23:00", "23:15"]
    assert frame["value"].tolist() == [1, 2, 3, 4]


def test_from_start_to_end_no_row_may_have_the_midnight(understand):
    said = version_of({"stamp": Stamp.START}, {"stamp": Stamp.END})
    before, after = rows("2024-03-05 23:30", [1, 2], "east"), rows("2024-03-06 00:15", [3], "east")
    frame = understand(f"meter,time,value\n{before}{after}", said).readings.frame
    assert frame["ts"].dt.strftime("%H:%M").tolist() == ["22:30", "22:45", "23:00"]
    text = "meter,time,value\n" + rows("2024-03-05 23:30", [1, 2, 3], "east")
    with pytest.raises(SourceError, match=r"f\.csv:4: has the midnight of 2024-03-06, up to wh"):
        understand(text, said)


def test_a_version_without_a_row_says_nothing(understand):
    text = "meter,time,value\n" + rows("2024-03-07", [1, 1], "east")
    assert kw(understand(text, VERSIONS), "east") == [4, 4]


def test_registers_are_not_differenced_over_a_new_version(understand):
    said = REGISTER.model_copy(
        update={"versions": (Version(valid_from=date(2024, 3, 6), factor=10),)}
    )
    text = "meter,time,value\n" + rows("2024-03-05 23:15", [500, 501, 502, 0, 1], "east")
    assert kw(understand(text, said), "east") == [4, 4, 40]
