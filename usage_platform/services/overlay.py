"""Several meters over the same time, from the lake.

Belongs here: which rows are read. Not here: steps and means (`core.load.overlay`), requests
(`web`).

Steps shorter than an hour are made of `readings`, others of `usage_hourly`, so that a year of eight
meters is read as hours. Steps of an hour are made of `readings`, too, where the hours of the meters
do not begin together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.core.arrays import Ints
from usage_platform.core.load.overlay import (
    HOUR_MINUTES,
    MeterLine,
    OverlayUnit,
    expected_count,
    factors,
    means_in_steps,
    step_minutes,
    step_starts,
    whole_steps,
)
from usage_platform.core.meters import Meter
from usage_platform.core.time.clock_hours import clock_hours
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR, instants_of


@dataclass(frozen=True, eq=False)
class Overlay:
    """Several meters over the same time.

    Attributes:
        step_minutes: Length of a step; 1440 stands for local days of the first meter.
        starts: int64, shape (steps,): ns since 1970 UTC.
        lines: The meters in the order in which they were asked for.
    """

    step_minutes: int
    starts: Ints
    lines: tuple[MeterLine, ...]


def overlay(
    reader: LakeReader,
    meters: Sequence[Meter],
    unit: OverlayUnit,
    areas: Mapping[str, float],
    span: tuple[int, int],
) -> Overlay:
    """Some meters over the same time.

    Args:
        reader: The lake's tables.
        meters: The meters, each once; at least one.
        unit: The unit of the chart.
        areas: Floor area by meter, m².
        span: Begin and end (exclusive), ns since 1970 UTC.

    Raises:
        UnitError: In one line, if some meters have no value in the unit.
        LakeError: When the lake cannot be read.
    """
    scale = factors(meters, unit, areas)
    minutes = step_minutes(meters, *span)
    starts = step_starts(minutes, meters[0], *span)
    rows = _rows(reader, meters, minutes, span)
    # Readings after the newest one of all may still come.
    end = min(span[1], int(rows["end"].max())) if len(rows) else span[0]
    by_meter = dict(list(rows.groupby("meter")))
    is_whole = whole_steps(minutes, meters[0], starts, span)
    lines = [
        _line(meter, factor, by_meter.get(meter.name, rows.head(0)), starts, (span[0], end))
        for meter, factor in zip(meters, scale, strict=True)
    ]
    return Overlay(
        minutes,
        starts,
        tuple(replace(line, power=np.where(is_whole, line.power, np.nan)) for line in lines),
    )


def _rows(
    reader: LakeReader, meters: Sequence[Meter], minutes: int, span: tuple[int, int]
) -> pd.DataFrame:
    """`meter`, `at` and `end` (ns since 1970 UTC), `kw`, `n` (readings)."""
    is_hourly = minutes > HOUR_MINUTES or (
        minutes == HOUR_MINUTES and _begin_together(meters, span)
    )
    table = USAGE_HOURLY if is_hourly else READINGS
    if not reader.exists(table):
        columns = {"meter": object, "at": np.int64, "end": np.int64, "kw": float, "n": np.int64}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    first, last = (pd.Timestamp(at, tz="UTC").date() for at in (span[0], max(span[1] - 1, span[0])))
    wanted = (
        {"start": "at", "avg_usage": "kw", "n": "n"}
        if is_hourly
        else {"event_time": "at", "value": "kw"}
    )
    names = [meter.name for meter in meters]
    found = reader.rows(table, ["meter", *wanted], first, last, names).rename(columns=wanted)
    found["at"] = instants_of(found["at"])
    found = found[(found["at"] >= span[0]) & (found["at"] < span[1])]
    if is_hourly:
        return found.assign(end=found["at"] + NS_AN_HOUR)
    length = {meter.name: meter.interval_minutes * NS_A_MINUTE for meter in meters}
    return found.assign(end=found["at"] + found["meter"].map(length).astype(np.int64), n=1)


def _begin_together(meters: Sequence[Meter], span: tuple[int, int]) -> bool:
    """Whether the clocks of all meters have the same hours in a span."""
    zones = {meter.timezone for meter in meters}
    return len({clock_hours(zone).between(*span).tobytes() for zone in zones}) == 1


def _line(
    meter: Meter, factor: float, rows: pd.DataFrame, starts: Ints, span: tuple[int, int]
) -> MeterLine:
    instants = rows["at"].to_numpy(np.int64)
    power, count = rows["kw"].to_numpy(np.float64), rows["n"].to_numpy(np.int64)
    hours = meter.interval_minutes / HOUR_MINUTES
    return MeterLine(
        meter=meter,
        power=means_in_steps(starts, instants, power, count) * factor,
        energy_kwh=float((power * count).sum() * hours),
        readings=int(count.sum()),
        expected_readings=expected_count(meter, *span),
    )
