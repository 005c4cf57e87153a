"""Printing the rows of a query."""

import io
import json

import pyarrow as pa
from rich import box
from rich.console import Console
from rich.table import Table

_WIDEST = 200


def printed(rows: pa.Table, form: str) -> str:
    """Rows as text.

    Args:
        rows: What the query gave.
        form: `table` for people, `csv`, or `json` for one object a line; times are ISO 8601.
    """
    frame = rows.to_pandas()
    if form == "csv":
        return frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S%z").rstrip("\n")
    if form == "json":
        return "\n".join(json.dumps(row, default=_text) for row in rows.to_pylist())
    table = Table(*frame.columns, box=box.SIMPLE)
    for row in rows.to_pylist():
        table.add_row(*(_text(value) for value in row.values()))
    out = io.StringIO()
    Console(file=out, width=_WIDEST, highlight=False).print(table)
    return out.getvalue().rstrip() + f"\n({len(frame):,} rows)"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}" if abs(value) >= 1e15 else f"{round(value, 6):g}"
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
