"""Blocks of plain rows, read at once: ISO times and plain numbers, as most files have them.

Belongs here: the fast way, which either reads every row of a block or none. Not here: any other
row (`core.meter_files.rows`).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.rows import TypedRows
from usage_platform.core.meters import is_meter_name

_LENGTHS = {16, 19}
"""Of `2024-03-05 13:05` and `2024-03-05 13:05:00`."""

_UTC_LENGTHS = {length + 1 for length in _LENGTHS}
"""The same with a `Z`."""

_OFFSET_LENGTHS = {length + len("+00:00") for length in _LENGTHS}
_OFFSET = r"[+-](0\d|1[0-3]):[0-5]\d$"

_FIRST, _LAST = np.datetime64("1970-01-01", "ns"), np.datetime64("2037-12-31T23:59:59", "ns")


def is_plain(layout: Layout, encoding: str) -> bool:
    """Whether blocks of this layout may be read at once."""
    return (
        encoding.startswith("utf-8")
        and layout.form.is_usual
        and len(layout.values) == 1
        and len(layout.time.positions) == 1
        and layout.values[0].minutes is None
        and len(layout.dialect.delimiter) == 1
    )


def plain_block(layout: Layout, block: bytes, first_number: int) -> TypedRows | None:
    """The rows of a block, or None if any of them needs a closer look.

    Args:
        layout: A plain one.
        block: Whole lines.
        first_number: The number of the first of them.
    """
    if b'"' in block or block.count(b"\r") != block.count(b"\r\n"):
        return None
    time, value = layout.time.positions[0], layout.values[0].position
    try:
        table = _table(layout, block)
        times = _times(table.column(str(time)), layout.time.utc_offset)
        end = layout.time.end
        ends = None if end is None else _times(table.column(str(end)), layout.time.end_utc_offset)
    except pa.ArrowInvalid:
        return None
    values = table.column(str(value)).to_numpy()
    lines = _line_ends(block) + (not block.endswith(b"\n"))
    if times is None or table.num_rows != lines or not np.isfinite(values).all():
        return None
    if end is not None and ends is None:
        return None
    instants, is_instant = times
    unknown = np.full(0 if ends is None else len(instants), np.datetime64("NaT"), "datetime64[ns]")
    end_wall, end_instants = None, None
    if ends is not None:
        end_wall, end_instants = (unknown, ends[0]) if ends[1] else (ends[0], unknown)
    meters, names = np.zeros(len(instants), dtype=np.int32), ("",)
    if layout.meter is not None:
        meters, names = _distinct(table, layout.meter)
        if len(set(names)) != len(names) or not all(map(is_meter_name, names)):
            return None
    count = len(instants)
    return TypedRows(
        np.arange(first_number, first_number + count, dtype=np.int32),
        instants,
        np.full(count, is_instant),
        values,
        meters,
        names,
        end_wall,
        end_instants,
        (),
        count,
        0,
        _flags(table, layout),
    )


def _table(layout: Layout, block: bytes) -> pa.Table:
    """The cells of a block, by the position of their columns.

    Raises:
        ArrowInvalid: A row has other columns, or a cell has no value of its type.
    """
    types = _types(layout)
    width = len(layout.dialect.names)
    return pv.read_csv(
        pa.BufferReader(block),
        pv.ReadOptions(
            use_threads=False,
            block_size=len(block) + 1,
            column_names=[str(position) for position in range(width)],
        ),
        pv.ParseOptions(
            delimiter=layout.dialect.delimiter, quote_char=False, ignore_empty_lines=False
        ),
        pv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=[],
            strings_can_be_null=False,
            decimal_point=layout.decimal,
        ),
    )


def _line_ends(block: bytes) -> int:
    # A third of the time of `bytes.count`, which stops at each of them.
    return int(np.count_nonzero(np.frombuffer(block, dtype=np.uint8) == ord("\n")))


def _types(layout: Layout) -> dict[str, pa.DataType]:
    """The type of each column that is read, by its position."""
    types: dict[str, pa.DataType] = {
        str(layout.time.positions[0]): pa.string(),
        str(layout.values[0].position): pa.float64(),
    }
    if layout.time.end is not None:
        types[str(layout.time.end)] = pa.string()
    for position in (layout.meter, layout.quality):
        if position is not None:
            types[str(position)] = pa.dictionary(pa.int32(), pa.string())
    return types


def _distinct(table: pa.Table, position: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """A column of few different texts: for each row the position of its text, and the texts."""
    column = table.column(str(position)).combine_chunks()
    texts = tuple(str(text).strip() for text in column.dictionary.to_pylist())
    return column.indices.to_numpy(), texts


def _flags(table: pa.Table, layout: Layout) -> np.ndarray | None:
    """The quality flags of the rows; None without a column of them."""
    if layout.quality is None:
        return None
    codes, texts = _distinct(table, layout.quality)
    return np.array(texts, dtype=object)[codes]


def _times(column: pa.ChunkedArray, utc_offset: int | None) -> tuple[np.ndarray, bool] | None:
    """Times, and whether they are instants; None if a text is of another form."""
    lengths = set(pc.call_function("binary_length", [column]).unique().to_pylist())
    has_offset = lengths <= _OFFSET_LENGTHS and _all_match(column, _OFFSET)
    is_instant = has_offset or (lengths <= _UTC_LENGTHS and _all_match(column, "Z$"))
    if not is_instant and not lengths <= _LENGTHS:
        return None
    read = pc.cast(column, pa.timestamp("s", tz="UTC" if is_instant else None)).to_numpy()
    times = read.astype("datetime64[ns]")
    if len(times) and (times.min() < _FIRST or times.max() > _LAST):
        return None
    if utc_offset is not None and not is_instant:
        return times - np.timedelta64(utc_offset, "m"), True
    return times, is_instant


def _all_match(column: pa.ChunkedArray, pattern: str) -> bool:
    matches = pc.call_function("match_substring_regex", [column], pc.MatchSubstringOptions(pattern))
    return bool(pc.call_function("all", [matches]).as_py())
