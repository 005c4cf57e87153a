"""`usage-platform query`: print the rows of a query."""

import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal

import pyarrow as pa
from rich import box
from rich.console import Console
from rich.table import Table

MOST_SHOWN = 10_000
"""Maximum number of rows in the table format; csv and json print all."""

_WIDEST = 200


def printed(rows: pa.Table, form: str) -> str:
    """Format rows as text.

    Args:
        rows: The result of the query.
        form: `table`, `csv`, or `json` for one object per line; times are ISO 8601.
    """
    rows = rows.rename_columns(_distinct(rows.column_names))
    if form == "csv":
        frame = rows.to_pandas(integer_object_nulls=True)
        return frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S%z").rstrip("\n")
    if form == "json":
        return "\n".join(json.dumps(row, default=_plain) for row in rows.to_pylist())
    table = Table(*rows.column_names, box=box.SIMPLE)
    for row in rows.slice(0, MOST_SHOWN).to_pylist():
        table.add_row(*(_text(value) for value in row.values()))
    out = io.StringIO()
    Console(file=out, width=_WIDEST, highlight=False, markup=False, emoji=False).print(table)
    counted = f"{rows.num_rows:,} rows"
    if rows.num_rows > MOST_SHOWN:
        counted = f"the first {MOST_SHOWN:,} of {counted}; --format csv prints all"
    return f"{out.getvalue().rstrip()}\n({counted})"


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
