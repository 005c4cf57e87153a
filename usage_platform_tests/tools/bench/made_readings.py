"""Readings of any number of meters: generated ones of a meter, scaled for each further one.

Belongs here: making them quickly. Generating each meter by itself would take longer than what is
measured.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.hours_table import merge_hours
from usage_platform.adapters.lake.row_writer import append_rows
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import audited_hours

FIRST = date(2024, 1, 1)
A_DAY = 288
"""Readings of a meter in a day, at five minutes."""

_FEW_DAYS, _MANY_DAYS = 400, 1_100
_ROWS_AT_ONCE = 1_000_000
_KEPT_LONGER = timedelta(seconds=1)


def meter_names(count: int) -> list[str]:
    """So many names, in alphabetical order."""
    return [f"meter-{number:06}" for number in range(count)]


def readings_of(meters: int, days: int, skipped: int = 0) -> pd.DataFrame:
    """The readings of some meters over whole UTC days, in the order of their times.

    Args:
        meters: How many.
        days: How many days.
        skipped: How many days before these are left out.

    Returns:
        `meter`, `ts` (datetime64[ns, UTC]), `value` (kW), as `services.play` takes them.
    """
    enough = _FEW_DAYS if skipped + days <= _FEW_DAYS else _MANY_DAYS
    base = _base(enough).iloc[skipped * A_DAY : (skipped + days) * A_DAY]
    factor = np.linspace(0.5, 1.5, meters) if meters > 1 else np.ones(1)
    names = np.array(meter_names(meters), dtype=object)
    return pd.DataFrame(
        {
            "meter": np.tile(names, len(base)),
            "ts": base["ts"].repeat(meters).array,
            "value": np.round(np.outer(base["value"].to_numpy(), factor), 3).ravel(),
        }
    )


def newest_readings(meters: int, at: datetime) -> pd.DataFrame:
    """A reading of each of some meters at one time, as from `readings_of`."""
    instant = pd.Timestamp(at).floor("5min")
    return pd.DataFrame({"meter": meter_names(meters), "ts": instant, "value": 700.0})


def fill_readings(lake: Lake, meters: int, days: int) -> None:
    """Write the readings of some meters and days to the table `readings`, a file a day.

    They are of an older topic: the broker had them a second after their time.
    """
    create_tables(lake)
    for first, count in _stretches(meters, 0, days):
        rows = _rows_of_days(meters, first, count)
        append_rows(lake, READINGS, rows.assign(partition=0, offset=np.arange(len(rows)), rev=0))


def fill_hours(lake: Lake, meters: int, first: int, days: int) -> None:
    """Write the hours of some days to `usage_hourly`, as a micro-batch computes them."""
    registry = MeterRegistry()
    for start, count in _stretches(meters, first, days):
        rows = _rows_of_days(meters, start, count)
        newest = rows.groupby("meter")["event_time"].max() + pd.Timedelta(hours=2)
        merge_hours(lake, audited_hours(rows, registry, newest))


def _stretches(meters: int, first: int, days: int) -> Iterator[tuple[int, int]]:
    """The first day and the number of days of each part that is in memory at once."""
    most = max(_ROWS_AT_ONCE // (meters * A_DAY), 1)
    for start in range(first, first + days, most):
        yield start, min(most, first + days - start)


def _rows_of_days(meters: int, first: int, days: int) -> pd.DataFrame:
    """The rows of some days by meter and time, as batches write them."""
    frame = readings_of(meters, days, first).rename(columns={"ts": "event_time"})
    frame = frame.sort_values(["meter", "event_time"], ignore_index=True)
    return frame.assign(
        event_date=frame["event_time"].dt.date,
        kafka_time=frame["event_time"] + _KEPT_LONGER,
        late=False,
    )


@cache
def _base(days: int) -> pd.DataFrame:
    """Generated readings of a meter over whole UTC days; more days begin the same."""
    source = GeneratedSource((Meter(timezone="UTC"),), FIRST, days, seed=1)
    return source.load(lambda done, of: None).frame
