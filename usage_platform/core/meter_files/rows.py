"""Rows of text become typed rows, and every row that cannot is reported.

Belongs here: reading the cells of a known layout, a block of rows at a time. Not here: splitting
lines (adapters), and what the typed rows mean (`meaning`, `readings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Int32s, Ints
from usage_platform.core.meter_files.counted_hours import HoursOfDays, hours_of_days
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.numbers import read_numbers
from usage_platform.core.meter_files.times import ReadTimes, Times, read_times
from usage_platform.core.meters import is_meter_name
from usage_platform.core.readings.source import BadRow
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

Flags = npt.NDArray[np.bool_]

_MINUTES_A_DAY = NS_A_DAY // NS_A_MINUTE

EXPECTED_TIME = (
    "expected YYYY-MM-DD HH:MM:SS of 1970 to 2037, local or with an offset such as -05:00"
)
_EXPECTED_POWER = "expected a power in kW, 0 or more"


@dataclass(frozen=True, eq=False)
class TypedRows:
    """Rows of one table whose time can be read; arrays of n.

    Attributes:
        numbers: int32, the rows' numbers in their file.
        times: datetime64[ns]: the instant in UTC where the file says it, else wall-clock time.
        is_instant: bool, whether the time is an instant.
        values: float64, as written; NaN where there is none.
        meters: int32, positions in `names`.
        names: Meters as the file calls them; an empty one where it does not.
        end_wall: datetime64[ns], wall-clock time of the interval's end; NaT where the file says
            its instant, or nothing. None without an end column.
        end_instants: datetime64[ns], the instant of the end in UTC; NaT where the file says
            wall-clock time, or nothing.
        bad_rows: Rows that gave no value.
        row_count: Rows of text, bad ones and empty cells included.
        ends_of_day: How many times are written as 24:00.
        quality: object, str, the rows' quality flags as written; None where the file has none.
        hours: The numbers of the hours of its days, where times of day are no more than that.
    """

    numbers: Int32s
    times: Times
    is_instant: Flags
    values: Floats
    meters: Int32s
    names: tuple[str, ...]
    end_wall: Times | None
    end_instants: Times | None
    bad_rows: tuple[BadRow, ...]
    row_count: int
    ends_of_day: int
    quality: npt.NDArray[np.object_] | None = None
    hours: HoursOfDays = field(default_factory=dict[str, dict[int, int]])


def read_block(layout: Layout, numbers: Ints, rows: Sequence[Sequence[str]]) -> TypedRows:
    """Read a block of rows.

    Args:
        layout: The table's layout.
        numbers: Their numbers in the file.
        rows: Their cells, each as many as the header has names.
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(layout.dialect.names)
    texts = _joined([columns[position] for position in layout.time.positions])
    times = read_times(texts, layout.form)
    wall, instants = times.wall, times.instants
    if layout.time.utc_offset is not None:
        instants, wall = _as_instants(wall, instants, layout.time.utc_offset)
    bad = _Bad(layout, numbers)
    time_name = "+".join(layout.dialect.names[position] for position in layout.time.positions)
    bad.add(times.unreadable, time_name, texts, f"is not a time; {_expected_time(layout)}")
    meters, names = _meters(layout, columns, bad, len(rows))
    end = None if layout.time.end is None else _ends(layout, layout.time.end, columns, bad)
    within_day = [column for column in layout.values if (column.minutes or 0) < _MINUTES_A_DAY]
    after_day = [column for column in layout.values if (column.minutes or 0) >= _MINUTES_A_DAY]
    for column in after_day:
        _report_long_days(layout, column.position, columns, bad, wall)
    parts = [
        _of_column(layout, column.position, columns, bad, wall, instants, column.minutes)
        for column in within_day
    ]
    hours: HoursOfDays = {}
    if times.numbered is not None and layout.time.utc_offset is None:
        cells = [pd.Series(columns[column.position], dtype=object) for column in within_day]
        has_value = np.any([cell.str.strip() != "" for cell in cells], axis=0)
        hours = hours_of_days(times.numbered, has_value, meters, names)
    count = len(within_day)
    if layout.has_meter_columns:
        names = tuple(column.meter for column in layout.values)
        meters = np.repeat(np.arange(count), len(rows))
    else:
        meters = np.tile(meters, count)
    keep = np.concatenate([part.keep for part in parts])
    quality = None
    if layout.quality is not None:
        flags = pd.Series(columns[layout.quality], dtype=object).str.strip()
        quality = np.tile(flags.to_numpy(dtype=object), count)[keep]
    wall = np.concatenate([part.wall for part in parts])[keep]
    instants = np.concatenate([part.instants for part in parts])[keep]
    is_instant = ~np.isnat(instants)
    return TypedRows(
        np.tile(numbers, count)[keep].astype(np.int32),
        np.where(is_instant, instants, wall),
        is_instant,
        np.concatenate([part.values for part in parts])[keep],
        meters[keep].astype(np.int32),
        names,
        None if end is None else np.tile(end.wall, count)[keep],
        None if end is None else np.tile(end.instants, count)[keep],
        tuple(bad.rows),
        len(rows),
        times.ends_of_day,
        quality,
        hours,
    )


def _ends(
    layout: Layout, position: int, columns: Sequence[Sequence[str]], bad: "_Bad"
) -> ReadTimes:
    """The ends of the intervals, in the column at a position; an empty cell is no fault."""
    cells = pd.Series(columns[position], dtype=object)
    end = read_times(cells, layout.form)
    if layout.time.end_utc_offset is not None:
        instants, wall = _as_instants(end.wall, end.instants, layout.time.end_utc_offset)
        end = ReadTimes(wall, instants)
    unreadable = end.unreadable & (cells.str.strip() != "").to_numpy()
    name = layout.dialect.names[position]
    bad.add(unreadable, name, cells, f"is not a time; {_expected_time(layout)}")
    return end


@dataclass(frozen=True, eq=False)
class _Part:
    """What one column of values gives."""

    wall: Times
    instants: Times
    values: Floats
    keep: Flags


class _Bad:
    """The bad rows of a block, each once, by its first fault."""

    def __init__(self, layout: Layout, numbers: Ints) -> None:
        self._layout = layout
        self._numbers = numbers
        self.mask = np.zeros(len(numbers), dtype=np.bool_)
        self.rows: list[BadRow] = []

    def add(self, fails: Flags, field: str, texts: pd.Series, reason: str) -> None:
        """Report rows that fail, unless they failed before."""
        first = np.flatnonzero(fails & ~self.mask)
        self.mask |= fails
        shown = texts.to_numpy(dtype=object)[first]
        self.rows += [
            BadRow(self._layout.label, int(number), field, text, reason)
            for number, text in zip(self._numbers[first], shown, strict=True)
        ]


def _of_column(
    layout: Layout,
    position: int,
    columns: Sequence[Sequence[str]],
    bad: _Bad,
    wall: Times,
    instants: Times,
    minutes: int | None,
) -> _Part:
    cells = pd.Series(columns[position], dtype=object)
    numbers = read_numbers(cells, layout.decimal)
    is_wide = len(layout.values) > 1
    name = layout.dialect.names[position]
    unreadable_before = bad.mask.copy()
    expected = _expected_value(layout)
    if not is_wide:
        bad.add(numbers.empty, name, cells, f"is empty; {expected}")
    bad.add(
        ~numbers.written & ~(numbers.empty & is_wide), name, cells, f"is not a number; {expected}"
    )
    infinite = numbers.written & ~np.isfinite(numbers.values)
    bad.add(infinite, name, cells, f"is too large; {expected}")
    # A row with a bad value keeps its place, by which the two autumn hours are told apart.
    values = np.where(np.isfinite(numbers.values) & ~unreadable_before, numbers.values, np.nan)
    keep = ~(np.isnat(wall) & np.isnat(instants))
    if is_wide:
        keep &= numbers.written
        values = np.where(np.isfinite(numbers.values), numbers.values, np.nan)
    if minutes:
        shift = np.timedelta64(minutes * NS_A_MINUTE, "ns")
        wall, instants = wall + shift, instants + shift
    return _Part(wall, instants, values, keep)


def _meters(
    layout: Layout, columns: Sequence[Sequence[str]], bad: _Bad, count: int
) -> tuple[Ints, tuple[str, ...]]:
    if layout.meter is None:
        return np.zeros(count, dtype=np.int64), ("",)
    cells = pd.Series(columns[layout.meter], dtype=object)
    codes, distinct = pd.factorize(cells.str.strip())
    names = tuple(str(name) for name in distinct)
    wrong = np.array([not is_meter_name(name) for name in names], dtype=np.bool_)
    if len(names):
        reason = "is no name of a meter; expected 1 to 200 printable characters"
        bad.add(wrong[codes], layout.dialect.names[layout.meter], cells, reason)
    return codes.astype(np.int64), tuple(name if is_meter_name(name) else "" for name in names) or (
        "",
    )


def _report_long_days(
    layout: Layout, position: int, columns: Sequence[Sequence[str]], bad: _Bad, wall: Times
) -> None:
    """Report days with a 25th hour: which hour comes twice is not known, but all follow it."""
    cells = pd.Series(columns[position], dtype=object)
    numbers = read_numbers(cells, layout.decimal)
    # Days of 24 hours have a 0 there, or nothing.
    fails = numbers.written & (numbers.values != 0) & ~np.isnat(wall)
    reason = (
        "is of an hour after the 24th; expected a row of 24 hours: write the day on which the "
        "clocks change as rows of one interval, with an offset"
    )
    bad.add(fails, layout.dialect.names[position], cells, reason)
    wall[fails] = np.datetime64("NaT")


def _as_instants(wall: Times, instants: Times, utc_offset: int) -> tuple[Times, Times]:
    """The instants of times of which the column's name says the offset; no wall clock is left."""
    ahead = np.timedelta64(utc_offset * NS_A_MINUTE, "ns")
    return np.where(np.isnat(instants), wall - ahead, instants), np.full_like(wall, "NaT")


def _joined(parts: Sequence[Sequence[str]]) -> pd.Series:
    texts = pd.Series(parts[0], dtype=object)
    for part in parts[1:]:
        texts = texts.str.strip() + " " + pd.Series(part, dtype=object).str.strip()
    return texts


def _expected_time(layout: Layout) -> str:
    return EXPECTED_TIME if layout.form.is_usual else f"expected the form {layout.form.name}"


def _expected_value(layout: Layout) -> str:
    unit = layout.unit
    if unit is None or unit == "kW":
        return _EXPECTED_POWER
    if unit.is_volume:
        return f"expected a {'volume' if unit.is_amount else 'flow'} in {unit}"
    return f"expected {'an energy' if unit.is_amount else 'a power'} in {unit}"
