"""The rows of all files of a source, by meter and instant, each once.

Belongs here: putting files together, clock changes, and rows of one meter and time. Not here: what
the values are (`meaning`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.measurement import Sign
from usage_platform.core.meter_files.bad_rows import report_rows
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.rows import TypedRows
from usage_platform.core.meters import DEFAULT_METER_NAME, Meter
from usage_platform.core.readings.source import BadRow
from usage_platform.core.time.local_time import to_utc

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
    """The rows of all files; arrays of n, by meter, then in the order of the files."""

    file: Ints
    number: Ints
    meter: Ints
    instant: Ints
    local: Ints
    value: Floats
    end: Ints
    end_local: Ints
    quality: npt.NDArray[np.object_]


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
    files: Sequence[FileRows], meter: Meter, bad: list[BadRow]
) -> tuple[MeterRows, tuple[str, ...]]:
    """All rows with their instants, by meter, and the meters' names."""
    called = meter_names(files, meter)
    names = tuple(dict.fromkeys(called.values()))
    code_of = {name: position for position, name in enumerate(names)}
    codes = [
        np.array([code_of[called[name]] for name in file.rows.names], np.int64)[file.rows.meters]
        for file in files
    ]
    code = np.concatenate(codes)
    file_of = np.repeat(np.arange(len(files)), [len(file.rows.numbers) for file in files])
    order: Ints | slice = slice(None)
    if len(names) > 1:
        order = np.argsort(code, kind="stable")
    code, file_of = code[order], file_of[order]
    number = np.concatenate([file.rows.numbers for file in files])[order]
    wall = np.concatenate([file.rows.wall for file in files])[order]
    given = np.concatenate([file.rows.instants for file in files])[order]
    value = np.concatenate([file.rows.values for file in files])[order]
    instant = _utc(wall, given, meter.timezone, code * (len(files) + 1) + file_of)
    gone = np.isnat(instant)
    layouts = [file.layout for file in files]
    at = np.flatnonzero(gone & np.isfinite(value))
    report_rows(
        bad,
        layouts,
        file_of[at],
        number[at],
        "time",
        [str(text).replace("T", " ")[:19] for text in wall[at]],
        f"does not exist in {meter.timezone}, where the clocks go forward then; if this meter's "
        "clock never changes, set its time zone to a fixed one such as Etc/GMT+5 (--timezone)",
    )
    keep = ~gone
    ns = instant[keep].astype(np.int64)
    end, end_local = _ends(files, order)
    return MeterRows(
        file_of[keep],
        number[keep],
        code[keep],
        ns,
        ns + local_shift(ns, meter.timezone),
        value[keep],
        end[keep],
        end_local[keep],
        _quality(files)[order][keep],
    ), names


def _quality(files: Sequence[FileRows]) -> npt.NDArray[np.object_]:
    """The flag of each row; empty where its file has none."""
    flags = [
        np.full(len(file.rows.numbers), "", dtype=object)
        if file.rows.quality is None
        else file.rows.quality
        for file in files
    ]
    return np.concatenate(flags)


def _ends(files: Sequence[FileRows], order: Ints | slice) -> tuple[Ints, Ints]:
    """Ends of rows as instants, and as wall clock; `NO_END` where there is none."""
    found: list[list[Ints]] = [[], []]
    for file in files:
        for part, times in zip(found, (file.rows.end_instants, file.rows.end_wall), strict=True):
            if times is None:
                part.append(np.full(len(file.rows.numbers), NO_END, dtype=np.int64))
            else:
                part.append(times.astype("datetime64[ns]").astype(np.int64))
    return np.concatenate(found[0])[order], np.concatenate(found[1])[order]


def _utc(
    wall: npt.NDArray[np.datetime64],
    given: npt.NDArray[np.datetime64],
    timezone: str,
    groups: Ints,
) -> npt.NDArray[np.datetime64]:
    if np.isnat(wall).all():
        return given
    found = to_utc(pd.Series(wall), timezone, in_file_order=True, groups=groups)
    local = found.dt.tz_localize(None).to_numpy("datetime64[ns]")
    return np.where(np.isnat(local), given, local)


def local_shift(instants: Ints, timezone: str) -> Ints:
    """Local time minus UTC at each instant, ns."""
    if not len(instants):
        return instants
    index = pd.DatetimeIndex(instants.astype("datetime64[ns]"), tz="UTC")
    return (
        index.tz_convert(timezone).tz_localize(None).to_numpy("datetime64[ns]").astype(np.int64)
        - instants
    )


def distinct_rows(
    rows: MeterRows, layouts: Sequence[Layout], sign: Sign
) -> tuple[MeterRows, int, list[Uncertain]]:
    """The rows by meter and instant, the last of each; how many others; conflicts.

    A row whose value cannot be read never wins. One whose value is below 0, and no export, stays
    beside the others of its instant: it is reported later, and takes the place of none.
    """
    known = np.isfinite(rows.value)
    rows = _take(rows, np.flatnonzero(known))
    if len(rows.meter) > 1:
        follows = (np.diff(rows.meter) > 0) | (np.diff(rows.instant) > 0)
        if follows.all():
            return rows, 0, []
        is_value = (rows.value >= 0) | (sign is Sign.NET)
        rows = _take(rows, np.lexsort((is_value, rows.instant, rows.meter)))
    is_value = (rows.value >= 0) | (sign is Sign.NET)
    same = np.append((np.diff(rows.meter) == 0) & (np.diff(rows.instant) == 0), False)[
        : len(rows.meter)
    ]
    same &= is_value
    before = np.flatnonzero(same)
    differs = before[rows.value[before] != rows.value[before + 1]]
    conflicts = _conflicts(rows, differs, layouts)
    return _take(rows, np.flatnonzero(~same)), len(before), conflicts


def _conflicts(rows: MeterRows, differs: Ints, layouts: Sequence[Layout]) -> list[Uncertain]:
    """Two values for one meter and time: within a file, or in many rows of two files."""
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


def _take(rows: MeterRows, at: Ints) -> MeterRows:
    return MeterRows(*(getattr(rows, name)[at] for name in MeterRows.__dataclass_fields__))
