"""The rows of all files of a source, by meter and instant, each once.

Belongs here: putting files together, clock changes, and rows of one meter and time. Not here: what
the values are (`meaning`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Integers, Ints
from usage_platform.core.measurement import Sign
from usage_platform.core.meter_files.bad_rows import report_rows
from usage_platform.core.meter_files.counted_hours import refuse_counted_hours
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.portions import portions, portions_of_groups
from usage_platform.core.meter_files.rows import TypedRows
from usage_platform.core.meters import DEFAULT_METER_NAME, Meter
from usage_platform.core.readings.source import BadRow
from usage_platform.core.time.local_time import to_utc
from usage_platform.core.time.units import NS_A_DAY

Flags = npt.NDArray[np.bool_]

_MOST_CONFLICTS = 0.2
NO_END = np.iinfo(np.int64).min
"""The end of a row without one."""


@dataclass(frozen=True, eq=False)
class FileRows:
    """One table: its layout and its typed rows."""

    layout: Layout
    rows: TypedRows


@dataclass(frozen=True, eq=False)
class MeterRows:
    """The rows of all files; arrays of n, by meter, then in the order of the files.

    Attributes:
        file: Of the smallest unsigned type, positions in the source's files.
        number: int32, the rows' numbers in their file.
        meter: int32, positions in the source's meters.
        instant: int64, ns since 1970 UTC.
        value: float64, as written; NaN where there is none.
        end: int64, as `instant`, of the interval's end; `NO_END` where the file does not say it.
            None where no row has an end.
        end_local: int64, ns of the wall clock at the end, else as `end`.
        quality: object, str, quality flags; None where no file has any.
    """

    file: Integers
    number: Integers
    meter: Integers
    instant: Ints
    value: Floats
    end: Ints | None
    end_local: Ints | None
    quality: npt.NDArray[np.object_] | None

    def taken(self, at: Ints | Flags) -> "MeterRows":
        """Some of the rows."""
        columns: list[Any] = [getattr(self, one.name) for one in fields(self)]
        taken: list[Any] = [None if column is None else column[at] for column in columns]
        return MeterRows(*taken)


def meter_names(files: Sequence[FileRows], meter: Meter) -> dict[str, str]:
    """The meters by what the files call them, each once.

    Args:
        files: The files; an empty name where one names no meter.
        meter: Gives the name where the files name none; one that is not the default is also that
            of the only meter that they name.
    """
    names = {name: name or meter.name for file in files for name in file.rows.names}
    if len(set(names.values())) == 1 and meter.name != DEFAULT_METER_NAME:
        return dict.fromkeys(names, meter.name)
    return names


def all_rows(
    files: list[FileRows], meter: Meter, bad: list[BadRow]
) -> tuple[MeterRows, tuple[str, ...]]:
    """All rows with their instants, by meter, and the meters' names.

    Args:
        files: Emptied: of ten million rows there is no room for two copies.
        meter: Gives the time zone, and the name where the files name no meter.
        bad: Where rows are reported whose time the clocks skip.

    Raises:
        SourceError: In one line, for a file with counted hours where the clocks change.
    """
    layouts = [file.layout for file in files]
    for file in files:
        refuse_counted_hours(file.layout.label, file.rows.hours, meter.timezone)
    called = meter_names(files, meter)
    names = tuple(dict.fromkeys(called.values()))
    tables = [file.rows for file in files]
    files.clear()
    code_of = {name: position for position, name in enumerate(names)}
    code = _joined(
        [
            np.array([code_of[called[name]] for name in table.names], np.int32)[table.meters]
            for table in tables
        ]
    )
    order = _by_meter(code, len(names))
    code = _in_order([code], order)
    smallest = np.min_scalar_type(len(tables))
    file_of = _in_order(
        [np.full(len(table.numbers), at, smallest) for at, table in enumerate(tables)], order
    )
    end = end_local = quality = None
    if any(table.end_wall is not None for table in tables):
        end = _in_order([_ns(table.end_instants, len(table.numbers)) for table in tables], order)
        end_local = _in_order([_ns(table.end_wall, len(table.numbers)) for table in tables], order)
    if any(table.quality is not None for table in tables):
        quality = _in_order([_quality(table) for table in tables], order)
    number = _in_order([table.numbers for table in tables], order)
    value = _in_order([table.values for table in tables], order)
    times = _in_order([table.times for table in tables], order)
    is_instant = _in_order([table.is_instant for table in tables], order)
    del tables, order
    instant = _utc(times, is_instant, meter.timezone, code, file_of)
    gone = np.isnat(instant)
    rows = MeterRows(file_of, number, code, instant.view(np.int64), value, end, end_local, quality)
    if not gone.any():
        return rows, names
    at = np.flatnonzero(gone & np.isfinite(value))
    report_rows(
        bad,
        layouts,
        file_of[at],
        number[at],
        "time",
        [str(text).replace("T", " ")[:19] for text in times[at]],
        f"does not exist in {meter.timezone}, where the clocks go forward then; if this meter's "
        "clock never changes, set its time zone to a fixed one such as Etc/GMT+5 (--timezone)",
    )
    return rows.taken(~gone), names


def _joined(columns: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _in_order(columns: list[npt.NDArray[Any]], order: Ints | None) -> npt.NDArray[Any]:
    return _joined(columns) if order is None else _joined(columns)[order]


def _by_meter(code: Integers, count: int) -> Ints | None:
    """The order by meter, in which the rows of each stay in theirs; None if it is that already."""
    if (code[1:] >= code[:-1]).all():
        return None
    # Short integers are sorted by their digits, which takes a fraction of the time.
    return np.argsort(code.astype(np.min_scalar_type(count)), kind="stable")


def _quality(table: TypedRows) -> npt.NDArray[np.object_]:
    """The flag of each row; empty where its file has none."""
    if table.quality is None:
        return np.full(len(table.numbers), "", dtype=object)
    return table.quality


def _ns(times: npt.NDArray[np.datetime64] | None, count: int) -> Ints:
    """Times as ns; `NO_END` where there is none."""
    if times is None:
        return np.full(count, NO_END, dtype=np.int64)
    return times.astype("datetime64[ns]").astype(np.int64)


def _utc(
    times: npt.NDArray[np.datetime64],
    is_instant: Flags,
    timezone: str,
    code: Integers,
    file_of: Integers,
) -> npt.NDArray[np.datetime64]:
    """The instants of the rows, some meters at a time; NaT where the clocks skip the time."""
    if is_instant.all():
        return times
    found = times.copy()
    files = int(file_of.max()) + 1
    for part in portions_of_groups(code):
        is_wall = ~is_instant[part]
        wall = np.where(is_wall, times[part], np.datetime64("NaT", "ns"))
        groups = code[part].astype(np.int64) * (files + 1) + file_of[part]
        utc = to_utc(pd.Series(wall), timezone, in_file_order=True, groups=groups)
        local = utc.dt.tz_localize(None).to_numpy("datetime64[ns]")
        found[part][is_wall] = local[is_wall]
    return found


def local_shift(instants: Ints, timezone: str) -> Ints:
    """Local time minus UTC at each instant, ns."""
    found = np.empty(len(instants), dtype=np.int64)
    for part in portions(len(instants)):
        utc = pd.DatetimeIndex(instants[part].view("datetime64[ns]"), tz="UTC")
        local = utc.tz_convert(timezone).tz_localize(None).to_numpy("datetime64[ns]")
        np.subtract(local.view(np.int64), instants[part], out=found[part])
    return found


def local_ends(instants: Ints, timezone: str) -> tuple[int, int] | None:
    """The first and the last time on the wall clock, ns; None without an instant."""
    if not len(instants):
        return None
    # The clock is turned back by less than a day, so that only instants near both ends count.
    near_first = instants[instants <= instants.min() + NS_A_DAY]
    near_last = instants[instants >= instants.max() - NS_A_DAY]
    first = (near_first + local_shift(near_first, timezone)).min()
    return int(first), int((near_last + local_shift(near_last, timezone)).max())


def distinct_rows(
    rows: MeterRows, layouts: Sequence[Layout], sign: Sign
) -> tuple[MeterRows, int, list[Uncertain]]:
    """The rows by meter and instant, the last of each; how many others; conflicts.

    A row whose value cannot be read never wins. One whose value is below 0, and no export, stays
    beside the others of its instant: it is reported later, and takes the place of none.
    """
    known = np.isfinite(rows.value)
    if not known.all():
        rows = rows.taken(known)
    follows = (rows.meter[1:] > rows.meter[:-1]) | (rows.instant[1:] > rows.instant[:-1])
    if follows.all():
        return rows, 0, []
    is_value = (rows.value >= 0) | (sign is Sign.NET)
    order: Ints = np.lexsort((is_value, rows.instant, rows.meter))
    rows, is_value = rows.taken(order), is_value[order]
    del order
    same = np.zeros(len(rows.meter), dtype=np.bool_)
    same[:-1] = (rows.meter[1:] == rows.meter[:-1]) & (rows.instant[1:] == rows.instant[:-1])
    same &= is_value
    before = np.flatnonzero(same)
    if not len(before):
        return rows, 0, []
    differs = before[rows.value[before] != rows.value[before + 1]]
    conflicts = _conflicts(rows, differs, layouts)
    return rows.taken(~same), len(before), conflicts


def _conflicts(rows: MeterRows, differs: Ints, layouts: Sequence[Layout]) -> list[Uncertain]:
    """Two values for one meter and time: within a file, or in many rows of two files."""
    if not len(differs):
        return []
    within = differs[rows.file[differs] == rows.file[differs + 1]]
    across = differs[rows.file[differs] != rows.file[differs + 1]]
    sizes = np.bincount(rows.file, minlength=len(layouts))
    at = -1
    if len(within):
        at = int(within[0])
    elif len(across):
        least = np.minimum(sizes[rows.file[across]], sizes[rows.file[across + 1]]).min()
        at = int(across[0]) if len(across) > _MOST_CONFLICTS * least else -1
    if at < 0:
        return []
    one, other = (
        f"{layouts[int(rows.file[row])].label}:{rows.number[row]}" for row in (at, at + 1)
    )
    return [
        Uncertain(
            "meter column",
            "--meter-column NAME",
            f"{one}: has another value ({rows.value[at]:g}) for the same meter and time than "
            f"{other} ({rows.value[at + 1]:g}); name the column that tells them apart with "
            "--meter-column, or keep one of them",
        )
    ]
