"""Readings of water from a file to `usage_hourly`, and the unit of a lake's hours."""

import shutil

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY, Lake
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import usage_messages
from usage_platform.core.readings.validation import RAW_COLUMNS
from usage_platform.settings.settings import Settings
from usage_platform.wiring.sources import file_source
from usage_platform_tests.fixtures.meter_file_kinds import FOLDER
from usage_platform_tests.repository import ROOT

FORMER = ROOT / "usage_platform_tests" / "fixtures" / "lake_before_anomaly_times" / "lake"
LIBRARY = Meter("library", "UTC", 60)
WATER = Meter("central-library", "America/New_York", 15, unit=ReadingUnit.M3_H)
REGISTRY = MeterRegistry(LIBRARY).with_meters([LIBRARY, WATER])


def raw_events(values: list[bytes], first: int = 0) -> pd.DataFrame:
    rows = pd.DataFrame({"value": values, "offset": range(first, first + len(values))})
    now = pd.Timestamp.now(tz="UTC").as_unit("ns")
    return rows.assign(topic="usage", partition=0, kafka_time=now, key=None)[RAW_COLUMNS]


def played(name: str, options: dict[str, str]) -> tuple[list[bytes], MeterRegistry]:
    """The events of a file, and the meters that it describes."""
    settings = Settings.from_env({}, source=str(FOLDER / name), interval_minutes="15", **options)
    found = file_source(settings, {}).load(lambda done, of: None)
    return usage_messages(found.frame), MeterRegistry(LIBRARY).with_meters(found.meters)


@pytest.mark.parametrize("name", ["water.csv", "water_litres.csv", "flow.csv", "gas.csv"])
def test_a_file_of_a_volume_fills_hours_in_m3_h_without_energy(lake, name):
    events, registry = played(name, {})
    power, _ = played("kw.csv", {})
    create_tables(lake)
    apply_events(lake, registry, raw_events(events))
    hours = LakeReader(lake).rows(USAGE_HOURLY).sort_values("start", ignore_index=True)
    assert set(hours["unit"]) == {"m3/h"}
    assert hours["energy_kwh"].isna().all()
    # The series is that of the file in kW.
    of_power = Lake(f"{lake.root}-power")
    create_tables(of_power)
    apply_events(
        of_power, MeterRegistry(Meter("central-library", interval_minutes=15)), raw_events(power)
    )
    expected = LakeReader(of_power).rows(USAGE_HOURLY).sort_values("start", ignore_index=True)
    assert expected["unit"].isna().all()
    assert expected["energy_kwh"].notna().all()
    np.testing.assert_allclose(hours["avg_usage"], expected["avg_usage"], rtol=1e-9)
    assert hours["start"].tolist() == expected["start"].tolist()


def test_a_unit_that_is_not_the_meters_is_a_reject_with_its_reason(lake):
    create_tables(lake)
    text = '{"meter": "central-library", "ts": "2024-03-05T10:00:00Z", "value": 2%s}'
    batch = raw_events([(text % end).encode() for end in (', "unit": "kW"', ', "unit": "l/h"')])
    apply_events(lake, REGISTRY, batch)
    reader = LakeReader(lake)
    [rejected] = reader.rows(REJECTS).to_dict("records")
    assert (rejected["offset"], rejected["reason"]) == (0, "unknown_unit")
    assert rejected["detail"].startswith("unit must be m3/h or l/h, as this meter's")
    assert reader.rows(READINGS)["value"].tolist() == [0.002]


def test_hours_of_another_unit_are_not_written_over(lake):
    create_tables(lake)
    text = b'{"meter": "central-library", "ts": "2024-03-05T10:00:00Z", "value": 2}'
    apply_events(lake, REGISTRY, raw_events([text]))
    with_factor = MeterRegistry(LIBRARY).with_meters([Meter("central-library", WATER.timezone, 15)])
    later = raw_events([text.replace(b"10:00", b"11:00")], first=1)
    with pytest.raises(LakeError, match=r"are in m3/h, and .* says kW now: nothing is written"):
        apply_events(lake, with_factor, later)
    assert LakeReader(lake).state(READINGS).rows == 1
    apply_events(lake, REGISTRY, later)
    assert LakeReader(lake).state(READINGS).rows == 2


def test_a_former_lake_gets_the_column_and_its_hours_stay(tmp_path):
    lake = Lake(str(tmp_path / "lake"))
    shutil.copytree(FORMER, lake.root)
    reader = LakeReader(lake)
    before = reader.rows(USAGE_HOURLY).sort_values("start", ignore_index=True)
    assert "unit" not in before
    create_tables(lake)
    readings = reader.rows(READINGS)
    # Each hour is computed again; none differs.
    again = readings.rename(columns={"event_time": "ts"})[["meter", "ts", "value"]]
    apply_events(lake, REGISTRY, raw_events(usage_messages(again), first=10_000))
    water = b'{"meter": "central-library", "ts": "2024-03-05T10:00:00Z", "value": 2}'
    apply_events(lake, REGISTRY, raw_events([water], first=20_000))
    after = reader.rows(USAGE_HOURLY).sort_values("start", ignore_index=True)
    own = after[after["meter"] == "library"].reset_index(drop=True)
    pd.testing.assert_frame_equal(own[[*before]], before)
    assert own["unit"].isna().all()
    [new] = after[after["meter"] == "central-library"].to_dict("records")
    assert (new["unit"], np.isnan(new["energy_kwh"])) == ("m3/h", True)
