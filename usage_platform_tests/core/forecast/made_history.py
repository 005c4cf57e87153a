"""The readings that the forecast's tests look back on."""

from datetime import date
from functools import cache

import numpy as np
import pandas as pd

from usage_platform.core.generator.building import BuildingProfile, building_load
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import instants_of

BOSTON = Meter("m", "America/New_York", 60)
HOLIDAYS = Calendar("US", "MA")


@cache
def healthy(meter: Meter = BOSTON, start: date = date(2023, 6, 1), days: int = 340) -> Series:
    """A healthy building's readings."""
    frame = building_load(meter, start, days, BuildingProfile(), np.random.default_rng(3))
    return Series(instants_of(frame.loc[:, "ts"]), frame["value"].to_numpy(np.float64))


def at(text: str, meter: Meter = BOSTON) -> int:
    """The instant of a local wall-clock time, ns since 1970 UTC."""
    return pd.Timestamp(text, tz=meter.zone).value
