"""A lake of an electricity meter and two water meters, for the page's tests."""

from pathlib import Path

import pandas as pd

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.core.detector.made_models import cut_forests, model, timeline_of
from usage_platform_tests.core.detector.series import library
from usage_platform_tests.web.made_lake import write_readings, write_what_follows

LIBRARY = Meter("m", "America/New_York", 60)
WATER = Meter("cold-water", "America/New_York", 60, unit=ReadingUnit.M3_H)
POOL = Meter("pool", "America/New_York", 60, unit=ReadingUnit.M3_H)
LEAK = pd.Timestamp("2024-03-05T03:00", tz=WATER.zone)
_DAYS = 80
_OF_POWER = 1 / 2000
"""The library's hundreds of kW become tenths of m3/h."""


def fill_with_water(folder: Path) -> Lake:
    """The lake below a folder: eighty days, with a burst of water on one night."""
    lake = Lake(str(folder / "lake"))
    registry = MeterRegistry(LIBRARY).with_meters([LIBRARY, WATER, POOL])
    save_meters(LakeFiles(lake.assets), registry)
    instants, values = library(days=_DAYS)
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    own = pd.DataFrame({"meter": LIBRARY.name, "event_time": times, "value": values})
    water = own.assign(meter=WATER.name, value=own["value"] * _OF_POWER)
    pool = water.assign(meter=POOL.name, value=water["value"] * 2)
    water.loc[water["event_time"] == LEAK, "value"] = 2.75
    readings = pd.concat([own, water, pool], ignore_index=True)
    begin = pd.Timestamp("2024-02-01T05:00Z")
    judge = model("v1", begin, {WATER.name: cut_forests(WATER, 0.15, 0.5)})
    store = ModelStore(LakeFiles(lake.models))
    store.save(judge)
    store.promote(["v1"])
    write_readings(lake, table_writer, readings)
    write_what_follows(lake, table_writer, readings, timeline_of(judge), registry)
    return lake
