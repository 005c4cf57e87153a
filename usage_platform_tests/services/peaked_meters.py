"""Two meters of which one is to be warned of a new peak, in a lake."""

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.services.peak_warnings import PeakInputs
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.core.forecast.made_history import BOSTON, HOLIDAYS, at, healthy

LAKE_ID = "lake"
DAY = "2024-04-17"
NAME = f"{DAY}T00:00-04:00"
PEAK_KW = 700.0
GLITCH_KW = 9000.0


def fill(lake: Lake, until: int) -> None:
    """The readings before an instant: of `m` with a low month, of `calm` with a glitch in it."""
    series = healthy()
    month = series.instants >= at("2024-04-01")
    before = series.instants < at(DAY)
    low = np.where(month & before, np.minimum(series.values, PEAK_KW), series.values)
    calm = np.where(series.instants == at("2024-04-03 12:00"), GLITCH_KW, series.values)
    for name, values in (("m", low), ("calm", calm)):
        write(lake, name, series.instants[series.instants < until], values)


def write(lake: Lake, name: str, instants: np.ndarray, values: np.ndarray) -> None:
    """Append readings of a meter; there may be more values than instants."""
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    rows = pd.DataFrame({"meter": name, "event_time": times, "value": values[: len(times)]})
    table_writer(lake, READINGS, rows.assign(event_date=times.date))


def inputs_of(lake: Lake) -> PeakInputs:
    """What warnings of the lake's meters are made from."""
    registry = MeterRegistry(BOSTON).with_meters([BOSTON])
    return PeakInputs(LakeReader(lake), registry, HOLIDAYS, TariffBook(()))
