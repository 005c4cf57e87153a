"""How the lines of a file are split: delimiter, header, lines above it and a units line.

Belongs here: what can be seen from the first lines. Not here: what the columns hold (`columns`).
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from usage_platform.core.meter_files.numbers import is_number
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.time_forms import is_time
from usage_platform.core.meter_files.units import foreign_unit_of, unit_of
from usage_platform.core.readings.source import SourceError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_LOOKED_AT = 200
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*')
_TOTAL = re.compile(
    r"(?:grand |sub)?total|sum(?:me|ma|mary)?|gesamt|average|mean|minimum|maximum|min|max|count"
    r"|somme|moyenne|totale?|totaal|end of (?:file|report|data)",
    re.IGNORECASE,
)
_FORM = re.compile(r"yyyy|jjjj|dd[./-]mm|hh:mm|°C", re.IGNORECASE)
_OTHER_FORMATS = (
    (re.compile(r"(?:UNA|UNB\+)"), "EDIFACT (such as MSCONS)"),
    (re.compile(r"100,NEM1[23]"), "NEM12"),
    (re.compile(r"\s*[\[{]"), "JSON"),
    (re.compile(r"\s*<"), "XML (such as Green Button)"),
)


@dataclass(frozen=True)
class Dialect:
    """How lines become rows.

    Attributes:
        delimiter: What separates the fields.
        header_line: Number of the header's line, from 1; 0 if there is none.
        names: The columns' names, in order.
        first_row: Number of the first line below the header that is a row.
        units: For each column what the units line says; empty without such a line.
        has_sep_line: Whether the first line says the delimiter (`sep=;`).
    """

    delimiter: str
    header_line: int
    names: tuple[str, ...]
    first_row: int
    units: tuple[str, ...] = ()
    has_sep_line: bool = False
    rows: list[list[str]] = field(default_factory=list[list[str]], repr=False, compare=False)


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line; none if its quotes do not pair."""
    line = line.rstrip("\r\n")
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error:
        return []


def is_total(cells: Sequence[str]) -> bool:
    """Whether a row is one of totals below the readings, not a reading."""
    first = next((cell.strip() for cell in cells if cell.strip()), "")
    return bool(_TOTAL.match(first)) and not is_time(first)


def dialect_of_lines(lines: Sequence[str], label: str, options: FileOptions) -> Dialect:
    """How the lines of a text file are split.

    Args:
        lines: The first lines of the file.
        label: What to call the file in errors.
        options: What a person said.

    Raises:
        SourceError: The file is empty, or of another format.
    """
    start = options.skip_lines or 0
    shown = next((line for line in lines[start:] if line.strip()), None)
    if shown is None:
        raise SourceError(f"{label}: empty; expected a header and rows; give a file with readings")
    for pattern, what in _OTHER_FORMATS:
        if pattern.match(shown):
            raise SourceError(f"{label}: is {what}; expected CSV; convert it")
    sep = _SEP_LINE.fullmatch(lines[start].rstrip("\r\n")) if start < len(lines) else None
    if sep:
        start += 1
    delimiter = options.delimiter or (sep[1] if sep else _delimiter(lines[start:]))
    rows = [split_line(line, delimiter) if line.strip() else [] for line in lines]
    found = dialect_of_rows(rows, label, options, start=start, delimiter=delimiter)
    return replace(found, has_sep_line=sep is not None)


def dialect_of_rows(
    rows: Sequence[list[str]],
    label: str,
    options: FileOptions,
    *,
    start: int | None = None,
    delimiter: str = "",
) -> Dialect:
    """Where the header of a table is.

    Args:
        rows: The first rows, split into cells; empty lists for empty lines.
        label: What to call the file in errors.
        options: What a person said.
        start: How many rows to leave out at the start.
        delimiter: What separated the cells.

    Raises:
        SourceError: There is no header, or its width is not that of the rows.
    """
    start = (options.skip_lines or 0) if start is None else start
    filled = [at for at in range(start, len(rows)) if any(cell.strip() for cell in rows[at])]
    if not filled:
        raise SourceError(f"{label}: empty; expected a header and rows; give a file with readings")
    shown = filled[:_LOOKED_AT]
    data = [at for at in shown if any(is_time(cell) or _is_day_time(cell) for cell in rows[at])]
    data = [at for at in data if any(is_number(cell) for cell in rows[at])] or data
    # The header counts too: it decides between a few rows of two widths.
    header = [at for at in filled if data and at < data[0]][-1:]
    width = _width(rows, [*header, *data] if data else filled)
    of_width = [at for at in data if len(rows[at]) == width]
    first = _first_row(rows, filled, of_width) if of_width else filled[0] + 1
    above = [at for at in filled if at < first]
    if options.skip_lines is not None and above:
        above = above[:2]
    if not above:
        names = tuple(str(number) for number in range(1, width + 1))
        return Dialect(delimiter, 0, names, first + 1, rows=list(rows))
    named = [at for at in above if len(rows[at]) == width] or above
    header_at, units = named[-1], ()
    if len(named) > 1 and _is_units(rows[named[-1]]):
        header_at, units = named[-2], tuple(cell.strip() for cell in rows[named[-1]])
    if options.skip_lines is not None:
        header_at = above[0]
    names = tuple(name.strip() for name in rows[header_at])
    if len(names) == width - 1 and not any(rows[at][-1].strip() for at in of_width):
        # Rows may end with a delimiter, and the header not.
        names = (*names, "")
    if len(names) != width and of_width:
        raise SourceError(
            f"{label}:{header_at + 1}: the header has {len(names)} fields, the rows below have "
            f"{width}; correct it, or name what separates the fields with --delimiter (numbers "
            "with a decimal comma need another delimiter, or quotes)"
        )
    first_row = header_at + (3 if units else 2)
    return Dialect(delimiter, header_at + 1, names, first_row, units, rows=list(rows))


def _first_row(rows: Sequence[list[str]], filled: Sequence[int], of_width: Sequence[int]) -> int:
    """The first row, which may be without a value, as `-` or `unavailable`."""
    first = of_width[0]
    timed = [at for at, cell in enumerate(rows[first]) if is_time(cell)]
    for at in reversed([at for at in filled if at < first]):
        is_row = len(rows[at]) == len(rows[first]) and all(is_time(rows[at][one]) for one in timed)
        if not timed or not is_row:
            break
        first = at
    return first


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter under which most lines have a time and equally many fields."""
    shown = [line for line in lines[:_LOOKED_AT] if line.strip()]
    best, most = ",", (-1, -1)
    for delimiter in DELIMITERS:
        rows = [split_line(line, delimiter) for line in shown]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        timed = sum(
            len(row) == width and any(is_time(cell) or _is_day_time(cell) for cell in row)
            for row in rows
        )
        if (timed, count) > most:
            best, most = delimiter, (timed, count)
    return best


def _is_day_time(cell: str) -> bool:
    return bool(re.fullmatch(r"\s*(?:\d{10}|\d{13}|1\d{15}|1\d{18}|(?:19|20)\d{6})\s*", cell))


def _width(rows: Sequence[list[str]], places: Sequence[int]) -> int:
    counts = Counter(len(rows[at]) for at in places if rows[at])
    return counts.most_common(1)[0][0] if counts else 1


def _is_units(cells: Sequence[str]) -> bool:
    """Whether a row holds units and forms below the names, such as `[kWh]` and `YYYY-MM-DD`."""
    given = [cell.strip() for cell in cells if cell.strip()]
    return any(unit_of(cell) for cell in given) and all(
        unit_of(cell) or foreign_unit_of(cell) or cell[0] in "[(-" or _FORM.search(cell)
        for cell in given
    )
