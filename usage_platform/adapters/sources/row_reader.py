"""Reads the rows of one table, block by block, into typed rows.

Belongs here: from lines or cells to typed rows of a known layout. Not here: finding the layout
(`csv_file`, `workbook`), and what a readable row is (`core.meter_files`).
"""

import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO

import numpy as np

from usage_platform.adapters.sources.plain_rows import plain_block
from usage_platform.core.meter_files.dialect import is_total, split_line
from usage_platform.core.meter_files.joined_rows import JoinedRows
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.rows import TypedRows, read_block
from usage_platform.core.readings.source import BadRow, Progress, SourceError, shown_header

_LINES_AT_ONCE = 50_000
_BLOCK_BYTES = 1 << 22


class RowReader:
    """Reads the rows of one table, block by block."""

    def __init__(self, layout: Layout, progress: Progress) -> None:
        self._layout = layout
        self._progress = progress
        self._number = layout.dialect.first_row
        self._rows = JoinedRows()
        # A table without a row has the columns of its layout too.
        self._rows.add(read_block(layout, np.empty(0, dtype=np.int64), []))
        self._unsplit: list[BadRow] = []
        self._done = 0

    def result(self) -> TypedRows:
        """All rows; nothing may be read afterwards."""
        return self._rows.rows(self._unsplit)

    def read_blocks(self, binary: IO[bytes], encoding: str) -> None:
        """Read bytes, whole lines at a time: at once where all are plain, else line by line."""
        for _ in range(self._layout.dialect.first_row - 1):
            binary.readline()
        while block := binary.read(_BLOCK_BYTES):
            block += binary.readline()
            found = plain_block(self._layout, block, self._number)
            if found is None:
                self.read_lines(io.TextIOWrapper(io.BytesIO(block), encoding, errors="replace"))
                continue
            self._rows.add(found)
            self._number += found.row_count
            self._done += found.row_count
            self._progress(self._done, None)

    def read_lines(self, lines: Iterator[str]) -> None:
        """Read lines of text."""
        delimiter = self._layout.dialect.delimiter
        while chunk := list(islice(lines, _LINES_AT_ONCE)):
            self._add([split_line(line, delimiter) for line in chunk], chunk.__getitem__)

    def read_cells(self, rows: Iterator[list[str]]) -> None:
        """Read rows of cells, all as wide as the header; an empty list for an empty row."""
        while chunk := list(islice(rows, _LINES_AT_ONCE)):
            self._add(chunk, lambda _at: "")

    def _add(self, split: list[list[str]], line: Callable[[int], str]) -> None:
        """Add rows.

        Args:
            split: Their cells.
            line: The text of a row that is not as wide as the header; blank for no row.
        """
        layout = self._layout
        width = len(layout.dialect.names)
        fits = np.fromiter((len(row) == width for row in split), bool, len(split))
        fits &= ~self._totals(split)
        headers = self._headers(split)
        fits &= ~headers
        self._unsplit += [
            _unsplit_row(layout.label, self._number + at, line(at), split[at], width)
            for at in np.flatnonzero(~fits).tolist()
            if line(at).strip() and not headers[at] and not is_total(split[at])
        ]
        whole = [row for row, fit in zip(split, fits, strict=True) if fit]
        numbers = self._number + np.flatnonzero(fits)
        self._rows.add(read_block(layout, numbers, whole))
        self._number += len(split)
        self._done += len(whole)
        self._progress(self._done + len(self._unsplit), None)

    def _headers(self, split: list[list[str]]) -> np.ndarray:
        """Which rows repeat the header, as in files that were put together.

        Raises:
            SourceError: Another header begins a table whose values may mean something else.
        """
        dialect = self._layout.dialect
        found = np.zeros(len(split), dtype=bool)
        if not dialect.header_line:
            return found
        time = dialect.names[self._layout.time.positions[0]]
        for at, row in enumerate(split):
            if time not in row:
                continue
            found[at] = True
            cells = tuple(cell.strip() for cell in row)
            if cells != dialect.names:
                raise SourceError(
                    f"{self._layout.label}:{self._number + at}: another header "
                    f"({shown_header(cells)}) begins a second table; save each table as a file of "
                    "its own"
                )
        return found

    def _totals(self, split: list[list[str]]) -> np.ndarray:
        """Which lines are totals; only the first cell of such a line can say so."""
        return np.fromiter(
            (bool(row) and row[0][:1].isalpha() and is_total(row) for row in split),
            bool,
            len(split),
        )


def _unsplit_row(label: str, number: int, line: str, fields: list[str], width: int) -> BadRow:
    if fields:
        reason = f"has {len(fields)} fields; expected {width}, as in the header"
    else:
        reason = "has quotes that do not pair; expected a row on one line"
    return BadRow(label, number, "row", line.strip(), reason)
