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
    spans_of_register,
    spans_of_values,
)
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.grid import on_the_grid
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.meaning import (
    FEWEST_GAPS,
    Ordered,
    quantity_of,
    stamp_of,
    step_uncertain,
    steps,
)
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.quality import Texts, quality_of_readings
from usage_platform.core.meter_files.series import FileRows, MeterRows, all_rows, distinct_rows
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
    files: Sequence[FileRows],
    meter: Meter,
    options: FileOptions,
    bad_rows: Sequence[BadRow] = (),
    notes: Sequence[str] = (),
) -> Understood:
    """What the files say, and the readings they would give: all meters are read alike.

    Args:
        files: At least one, in the order of the source.
        meter: Gives the time zone, the interval, and the name where the files name no meter.
        options: What a person said.
        bad_rows: Further rows that gave no reading.
        notes: What happened before, in lines for people.
    """
    label = files[0].layout.label
    layouts = [file.layout for file in files]
    bad = [*bad_rows, *(row for file in files for row in file.rows.bad_rows)]
    uncertain = [one for layout in layouts for one in layout.uncertain]
    rows, names = all_rows(files, meter, bad)
    rows, repeated, conflicts = distinct_rows(rows, layouts, options.sign)
    if not any(one.name == "meter column" for one in uncertain):
        uncertain += conflicts
    ordered = Ordered(rows.meter, rows.instant, rows.local, rows.value)
    step = steps(ordered, len(names))
    gap_counts = np.bincount(ordered.meters[ordered.gaps > 0], minlength=len(names))
    uncertain += step_uncertain(label, step, gap_counts, names, meter)
    interval = meter.interval_minutes * NS_A_MINUTE
    step = np.where((gap_counts < FEWEST_GAPS) & (step > interval), interval, step)
    usual = int(np.median(step[step > 0])) if (step > 0).any() else 0
    ends = sum(file.rows.ends_of_day for file in files)
    quantity, units, unclear = quantity_of(label, ordered, layouts, options)
    uncertain += unclear
    stamp = Stamp.START
    if quantity is not Quantity.REGISTER:
        stamp, unclear = stamp_of(label, ordered, usual, layouts, ends, options)
        uncertain += unclear
    all_notes = [*notes]
    if quantity is Quantity.REGISTER and options.register_size is not None:
        _check_size(options.register_size, rows, names, layouts)
    spans = _spans(rows, ordered, quantity, units, step, stamp, meter, options, layouts, all_notes)
    made_of = spans
    spans = on_the_grid(spans, rows, meter, layouts, options, bad, all_notes)
    is_register = quantity is Quantity.REGISTER
    quality = quality_of_readings(spans, made_of, rows.quality, meter, is_register)
    row_count = sum(file.rows.row_count for file in files) + len(bad_rows)
    readings = _source_readings(
        spans, names, meter, bad, repeated, row_count, options, all_notes, quality
    )
    return Understood(
        readings,
        quantity,
        tuple(units),
        stamp,
        usual / NS_A_MINUTE if usual else None,
        tuple(layouts),
        any((~np.isnat(file.rows.wall)).any() for file in files),
        any((~np.isnat(file.rows.instants)).any() for file in files),
        tuple(uncertain),
        tuple(all_notes),
        meter,
        options,
    )


def _spans(
    rows: MeterRows,
    ordered: Ordered,
    quantity: Quantity,
    units: Sequence[Unit],
    step: Ints,
    stamp: Stamp,
    meter: Meter,
    options: FileOptions,
    layouts: Sequence[Layout],
    notes: list[str],
) -> Spans:
    interval = meter.interval_minutes * NS_A_MINUTE
    kilos = np.array([unit.kilos * options.factor for unit in units])[rows.file]
    if quantity is not Quantity.REGISTER:
        is_end = stamp is Stamp.END
        return spans_of_values(ordered, kilos, quantity, step, interval, is_end)
    spans, faults = spans_of_register(ordered, kilos, step, interval, options.register_size)
    notes += _register_notes(faults, rows, layouts)
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
    names: Sequence[str],
    meter: Meter,
    bad: list[BadRow],
    repeated: int,
    row_count: int,
    options: FileOptions,
    notes: Sequence[str],
    quality: Texts | None,
) -> SourceReadings:
    meters, starts, kw = spans.meters, spans.starts, spans.kw + 0.0
    if len(names) > 1:
        order = np.lexsort((np.array(names, dtype=object).argsort().argsort()[meters], starts))
        meters, starts, kw = meters[order], starts[order], kw[order]
        quality = None if quality is None else quality[order]
    present = np.unique(meters)
    ts = pd.DatetimeIndex(starts.astype("datetime64[ns]"), tz="UTC")
    frame = pd.DataFrame({"meter": np.array(names, dtype=object)[meters], "ts": ts, "value": kw})
    zone, minutes = meter.timezone, meter.interval_minutes
    found = [Meter(names[int(at)], zone, minutes, options.sign) for at in present]
    place: dict[str, int] = {}
    for row in bad:
        place.setdefault(row.file, len(place))
    bad_rows = sorted(bad, key=lambda row: (place[row.file], row.row))
    return SourceReadings(
        frame,
        tuple(found) or (replace(meter, sign=options.sign),),
        tuple(bad_rows),
        repeated,
        source_rows=row_count,
        bad_rows_allowed=options.allow_bad_rows,
        notes=tuple(notes),
        quality=None if quality is None else tuple(quality),
    )
