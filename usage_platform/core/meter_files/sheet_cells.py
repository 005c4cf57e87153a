"""Cells of a sheet become the texts that a CSV file would have.

Belongs here: numbers, dates and times of cells as text. Not here: what the texts mean (`layout`,
`rows`).
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import Enum

Cell = str | int | float | bool | datetime | date | time | timedelta

_DAY_AFTER_NONE = (date(1900, 1, 1), date(1904, 1, 2))
"""The date of the serial number 1 in either epoch: 24:00 among times of day."""
_HALF_SECOND = timedelta(milliseconds=500)
_SECONDS_AN_HOUR = 3600


class ColumnKind(Enum):
    """What the dates and times of a column are."""

    DATES = "dates"
    """Dates alone, if any."""
    MOMENTS = "moments"
    """Dates with a time of day, which is not shown at midnight."""
    CLOCKS = "clocks"
    """Times of day."""


def column_kinds(rows: Sequence[Sequence[Cell]]) -> tuple[ColumnKind, ...]:
    """What the dates and times of each column are.

    Args:
        rows: The first rows of the sheet, all equally wide.
    """
    return tuple(_kind(column) for column in zip(*rows, strict=True))


def _kind(column: Sequence[Cell]) -> ColumnKind:
    if any(isinstance(cell, datetime) for cell in column):
        return ColumnKind.MOMENTS
    is_clock = any(isinstance(cell, time | timedelta) for cell in column)
    return ColumnKind.CLOCKS if is_clock else ColumnKind.DATES


def row_text(row: Sequence[Cell], kinds: Sequence[ColumnKind]) -> list[str]:
    """The texts of a row; an empty list for a row without text.

    Args:
        row: Its cells.
        kinds: What the dates and times of each column are.
    """
    texts = [cell_text(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
    return texts if any(texts) else []


def cell_text(cell: Cell, kind: ColumnKind) -> str:
    """The text of a cell: numbers with a point, times in ISO 8601, to the second.

    A workbook holds times as fractions of a day, so that 00:15 may be 00:14:59.999.
    """
    match cell:
        case str():
            return re.sub(r"\s*[\r\n]+\s*", " ", cell).strip()
        case bool():
            return str(cell).upper()
        case int() | float():
            return str(int(cell)) if cell == cell // 1 else repr(cell)
        case datetime():
            return str((cell + _HALF_SECOND).replace(microsecond=0))
        case date():
            if kind is ColumnKind.CLOCKS and cell in _DAY_AFTER_NONE:
                return "24:00:00"
            return f"{cell} 00:00:00" if kind is ColumnKind.MOMENTS else str(cell)
        case time():
            since = timedelta(
                hours=cell.hour,
                minutes=cell.minute,
                seconds=cell.second,
                microseconds=cell.microsecond,
            )
            return _clock(since)
        case timedelta():
            return _clock(cell)


def _clock(since_midnight: timedelta) -> str:
    seconds = (since_midnight + _HALF_SECOND) // timedelta(seconds=1)
    hours, seconds = divmod(seconds, _SECONDS_AN_HOUR)
    return f"{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"
