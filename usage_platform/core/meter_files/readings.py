"""The readings of a source of files: mean kW per interval, start-stamped, in UTC.

Belongs here: the way from the typed rows of all files to readings, with an account of every row.
Not here: reading files (adapters) and each single step (`meaning`, `conversion`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_files.conversion import (
    RegisterFaults,
    Spans,
    of_rows,
    spans_of_register,
    spans_of_values,
)
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.grid import on_the_grid
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.meaning import Ordered, stamp_of
from usage_platform.core.meter_files.midnights import late_midnights
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.quality import Texts, quality_of_readings
from usage_platform.core.meter_files.quantity import quantity_of
from usage_platform.core.meter_files.row_steps import steps
from usage_platform.core.meter_files.series import (
    FileRows,
    MeterRows,
    all_rows,
    distinct_rows,
    local_ends,
)
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import BadRow, SourceError, SourceReadings
from usage_platform.core.time.units import NS_A_MINUTE


@dataclass(frozen=True, eq=False)
class Understood:
    """A source of files, understood.

    Attributes:
        readings: As they would be read.
        quantity: What the values measure.
        units: The unit of each file.
        stamp: Which moment of its interval a row carries.
        step_minutes: Minutes between rows; None where that is not known.
        layouts: The layout of each file.
        local_rows: Whether there are rows of local time.
        instant_rows: Whether there are rows whose instant is known.
        uncertain: What a person must say before they may be read.
        notes: What happened to rows, in lines for people.
        meter: Gave the time zone and the interval.
        options: What a person said.
        is_described: Whether people's descriptions were followed.
        parts: The same by meters that are read in another way; none if all are alike.
    """

    readings: SourceReadings
    quantity: Quantity
    units: tuple[Unit, ...]
    stamp: Stamp
    step_minutes: float | None
    layouts: tuple[Layout, ...]
    local_rows: bool
    instant_rows: bool
    uncertain: tuple[Uncertain, ...]
    notes: tuple[str, ...]
    meter: Meter
    options: FileOptions
    is_described: bool = False
    parts: tuple["Understood", ...] = ()


def refuse_uncertain(found: Understood) -> SourceReadings:
    """The readings, if nothing is uncertain that would change them.

    Raises:
        SourceError: With the first of what is uncertain, and the option that settles it.
    """
    if found.uncertain:
        first, more = found.uncertain[0], len(found.uncertain) - 1
        also = f" ({more} more: usage-platform inspect lists all)" if more else ""
        raise SourceError(f"{first.reason}{also}")
    return found.readings


def understand_alike(
    files: list[FileRows],
    meter: Meter,
    options: FileOptions,
    bad_rows: Sequence[BadRow] = (),
    notes: Sequence[str] = (),
) -> Understood:
    """What the files say, and the readings they would give: all meters are read alike.

    Args:
        files: At least one, in the order of the source; emptied, so that the rows of large ones
            are held once.
        meter: Gives the time zone, the interval, and the name where the files name no meter.
        options: What a person said.
        bad_rows: Further rows that gave no reading.
        notes: What happened before, in lines for people.
    """
    layouts = tuple(file.layout for file in files)
    tables = [file.rows for file in files]
    row_count = sum(table.row_count for table in tables) + len(bad_rows)
    local_rows = any(not table.is_instant.all() for table in tables)
    instant_rows = any(table.is_instant.any() for table in tables)
    found = _Findings(
        layouts,
        bad=[*bad_rows, *(row for table in tables for row in table.bad_rows)],
        ends_of_day=sum(table.ends_of_day for table in tables),
        uncertain=[
            *(one for layout in layouts for one in layout.uncertain),
            *late_midnights(files),
        ],
        notes=[*notes],
    )
    del tables
    spans, quality = _readings_of(files, meter, options, found)
    return Understood(
        _source_readings(spans, meter, row_count, options, quality, found),
        found.quantity,
        found.units,
        found.stamp,
        found.usual_step / NS_A_MINUTE if found.usual_step else None,
        layouts,
        local_rows,
        instant_rows,
        tuple(found.uncertain),
        tuple(found.notes),
        meter,
        options,
    )


@dataclass(eq=False)
class _Findings:
    """What is found while the rows are read; filled step by step."""

    layouts: tuple[Layout, ...]
    bad: list[BadRow]
    ends_of_day: int
    uncertain: list[Uncertain]
    notes: list[str]
    names: tuple[str, ...] = ()
    repeated: int = 0
    quantity: Quantity = Quantity.POWER
    units: tuple[Unit, ...] = ()
    stamp: Stamp = Stamp.START
    usual_step: int = 0


def _readings_of(
    files: list[FileRows], meter: Meter, options: FileOptions, found: _Findings
) -> tuple[Spans, Texts | None]:
    """The readings as spans of an interval, by meter and time, and their quality flags."""
    label, layouts = found.layouts[0].label, found.layouts
    rows, found.names = all_rows(files, meter, found.bad)
    rows, found.repeated, conflicts = distinct_rows(rows, layouts, options.sign)
    if not any(one.name == "meter column" for one in found.uncertain):
        found.uncertain += conflicts
    ordered = Ordered(rows.meter, rows.instant, rows.value)
    step, unclear = steps(label, ordered, found.names, meter, options.step)
    found.uncertain += unclear
    found.usual_step = int(np.median(step[step > 0])) if (step > 0).any() else 0
    found.quantity, units, unclear = quantity_of(label, ordered, layouts, options)
    found.units = tuple(units)
    found.uncertain += unclear
    if found.quantity is not Quantity.REGISTER:
        local = local_ends(rows.instant, meter.timezone)
        found.stamp, unclear = stamp_of(
            label, local, found.usual_step, layouts, found.ends_of_day, options
        )
        found.uncertain += unclear
    elif options.register_size is not None:
        _check_size(options.register_size, rows, found.names, layouts)
    spans = _spans(rows, ordered, step, meter, options, found)
    readings = on_the_grid(spans, rows, meter, layouts, options, found.bad, found.notes)
    register_rows = rows.instant if found.quantity is Quantity.REGISTER else None
    return readings, quality_of_readings(readings, spans, rows.quality, meter, register_rows)


def _spans(
    rows: MeterRows,
    ordered: Ordered,
    step: Ints,
    meter: Meter,
    options: FileOptions,
    found: _Findings,
) -> Spans:
    interval = meter.interval_minutes * NS_A_MINUTE
    scales = of_rows(np.array([unit.scale(options.factor) for unit in found.units]), rows.file)
    if found.quantity is not Quantity.REGISTER:
        is_end = found.stamp is Stamp.END
        return spans_of_values(ordered, scales, found.quantity, step, interval, is_end)
    spans, faults = spans_of_register(ordered, scales, step, interval, options.register_size)
    found.notes += _register_notes(faults, rows, found.layouts)
    return spans


def _check_size(
    size: float, rows: MeterRows, names: Sequence[str], layouts: Sequence[Layout]
) -> None:
    """Refuse a register that shows more than it can.

    Raises:
        SourceError: With the first such row.
    """
    beyond = np.flatnonzero(rows.value >= size)
    if len(beyond):
        at = int(beyond[0])
        raise SourceError(
            f"{layouts[int(rows.file[at])].label}:{rows.number[at]}: the register shows "
            f"{rows.value[at]:.15g}, but meter {names[int(rows.meter[at])]} begins at 0 again at "
            f"{size:.15g} (register_size in assets/meters.yaml); correct one of them"
        )


def _register_notes(
    faults: RegisterFaults, rows: MeterRows, layouts: Sequence[Layout]
) -> list[str]:
    found = (
        (faults.dips, "the register shows less than before and after (the row is left out)"),
        (faults.roll_overs, "the register rolled over"),
        (faults.resets, "the register was reset or replaced (no reading across it)"),
        (faults.gaps, "the register has a gap (no reading across it)"),
    )
    return [
        f"{layouts[int(rows.file[at[0]])].label}:{rows.number[at[0]]}: {what}"
        + (f", and {len(at) - 1:,} times more" if len(at) > 1 else "")
        for at, what in found
        if len(at)
    ]


def _source_readings(
    spans: Spans,
    meter: Meter,
    row_count: int,
    options: FileOptions,
    quality: Texts | None,
    found: _Findings,
) -> SourceReadings:
    names, zone, minutes = found.names, meter.timezone, meter.interval_minutes
    present = np.flatnonzero(np.bincount(spans.meters, minlength=len(names)))
    unit = found.units[0].reading_unit(options.factor)
    meters = [Meter(names[int(at)], zone, minutes, options.sign, unit) for at in present]
    order = _by_time(spans, names)
    place: dict[str, int] = {}
    for row in found.bad:
        place.setdefault(row.file, len(place))
    return SourceReadings(
        _frame(spans, names, order),
        tuple(meters) or (replace(meter, sign=options.sign, unit=unit),),
        tuple(sorted(found.bad, key=lambda row: (place[row.file], row.row))),
        found.repeated,
        source_rows=row_count,
        bad_rows_allowed=options.allow_bad_rows,
        notes=tuple(found.notes),
        quality=None if quality is None else tuple(quality[order]),
    )


def _by_time(spans: Spans, names: Sequence[str]) -> Ints | slice:
    """The order by time, then by the meter's name."""
    if len(names) == 1:
        return slice(None)
    rank = np.array(names, dtype=object).argsort().argsort().astype(np.int32)
    return np.lexsort((rank[spans.meters], spans.starts))


def _frame(spans: Spans, names: Sequence[str], order: Ints | slice) -> pd.DataFrame:
    """The readings in the form of `SourceReadings.frame`."""
    columns = {
        "meter": np.array(names, dtype=object)[spans.meters[order]],
        "ts": pd.DatetimeIndex(spans.starts[order].view("datetime64[ns]"), tz="UTC"),
        # A zero below 0, of an export, is a zero.
        "value": spans.kw[order] + 0.0,
    }
    return pd.DataFrame(columns, copy=False)
