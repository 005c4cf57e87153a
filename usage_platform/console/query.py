"""`usage-platform query`: print the rows of a query."""

import io
import json
import resource
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal

import pyarrow as pa
from rich import box
from rich.table import Table

from usage_platform.console.plain_text import PlainConsole, plain
from usage_platform.services.spreadsheet_text import without_formulas

MOST_SHOWN = 10_000
"""Maximum number of rows in the table format; csv and json print all."""

MOST_MEMORY = 3 * 2**30
"""Bytes that a query and the text of its result may take."""

_WIDEST = 200
_LONGEST_CELL = 1000


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let this process have `MOST_MEMORY` at most during a block (Linux); what needs more fails.

    One text of `repeat()` counts in none of DuckDB's own limits.
    """
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


def printed(rows: pa.Table, form: str) -> str:
    """Format rows as text.

    Args:
        rows: The result of the query.
        form: `table`, `csv`, or `json` for one object per line; times are ISO 8601. In a table
            long texts are cut, in CSV no text is a formula.
    """
    rows = rows.rename_columns(_distinct(rows.column_names))
    if form == "csv":
        frame = without_formulas(rows.to_pandas(integer_object_nulls=True))
        return frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S%z").rstrip("\n")
    if form == "json":
        return "\n".join(json.dumps(row, default=_plain) for row in rows.to_pylist())
    table = Table(*map(plain, rows.column_names), box=box.SIMPLE)
    for row in rows.slice(0, MOST_SHOWN).to_pylist():
        table.add_row(*(_cell(value) for value in row.values()))
    out = io.StringIO()
    PlainConsole(file=out, width=_WIDEST, highlight=False, markup=False, emoji=False).print(table)
    counted = f"{rows.num_rows:,} rows"
    if rows.num_rows > MOST_SHOWN:
        counted = f"the first {MOST_SHOWN:,} of {counted}; --format csv prints all"
    return f"{out.getvalue().rstrip()}\n({counted})"


def _cell(value: object) -> str:
    # Before the columns are measured.
    text = plain(_text(value))
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _distinct(names: Sequence[str]) -> list[str]:
    """Make column names unique: `a, a` becomes `a, a_2`."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def _plain(value: object) -> object:
    """Convert a value that JSON lacks: decimals to numbers, everything else to text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value.isoformat() if isinstance(value, (date, time)) else str(value)
