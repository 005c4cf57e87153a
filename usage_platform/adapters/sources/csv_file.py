"""Readings from files of one source: CSV in the dialects that meters and portals write.

Belongs here: from a file to typed rows. Not here: opening files (`opened_file`), what a table
means and what a readable row is (`core.meter_files`), and fetching files from elsewhere.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from usage_platform.adapters.sources.opened_file import OpenedFile
from usage_platform.adapters.sources.plain_rows import is_plain, plain_block
from usage_platform.core.meter_files.dialect import dialect_of_lines, is_total, split_line
from usage_platform.core.meter_files.layout import Layout, layout_of
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.readings import (
    Understood,
    refuse_uncertain,
    understand,
)
from usage_platform.core.meter_files.rows import TypedRows, joined_rows, read_block
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meter_files.summary import one_line
from usage_platform.core.meter_files.time_forms import TimeFormatError
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import (
    BadRow,
    NoRowsError,
    Progress,
    SourceError,
    SourceReadings,
)

_LINES_AT_ONCE = 50_000
_BLOCK_BYTES = 1 << 22


@dataclass(frozen=True)
class CsvSource:
    """Files of one or more meters, one source together.

    Attributes:
        paths: The files; a name that ends in .gz is read as gzip. In what order they are given
            matters only where two hold the same reading: the last one wins.
        meter: Gives the time zone, the interval, and the name where the files name no meter.
        columns: Which columns hold what.
        options: What else a person said about the files.
    """

    paths: tuple[Path, ...]
    meter: Meter = field(default_factory=Meter)
    columns: CsvColumns = field(default_factory=CsvColumns)
    options: FileOptions = field(default_factory=FileOptions)

    @property
    def name(self) -> str:
        """What it reads, for people."""
        return "csv " + ", ".join(path.name for path in self.paths)

    def load(self, progress: Progress) -> SourceReadings:
        """All readings of the files.

        Gaps, rows in any order, repeated rows, a byte order mark and empty lines are fine. An
        empty line is no row; every other line below the header is one (a field must not run over
        several lines), and ends up in the frame, among the repeated or among the bad rows.

        Args:
            progress: Called with the rows read so far; the total is not known beforehand.

        Raises:
            SourceError: No file was given; one is missing, cannot be read, is empty, lacks a
                needed column, or is no CSV; or something that would change the numbers is
                uncertain: the line names the option that settles it.
        """
        found = self.understand(progress)
        readings = refuse_uncertain(found)
        return replace(readings, notes=(one_line(found), *readings.notes))

    def understand(self, progress: Progress) -> Understood:
        """How the files are understood, and the readings they would give.

        Args:
            progress: As for `load`.

        Raises:
            SourceError: As for `load`, but for what is uncertain.
        """
        if not self.paths:
            raise SourceError("csv: no file to read; give at least one")
        files: list[FileRows] = []
        done = 0
        for path in self.paths:
            try:
                rows = read_csv(
                    path, self.columns, path.name, partial(_tell, progress, done), self.options
                )
            except NoRowsError:
                continue
            done += rows.rows.row_count
            files.append(rows)
        if done == 0:
            raise SourceError(f"{self.name}: a header and no row; give a file that holds readings")
        progress(done, done)
        return understand(files, self.meter, self.options)


def read_csv(
    path: Path,
    columns: CsvColumns,
    label: str,
    progress: Progress,
    options: FileOptions = FileOptions(),  # noqa: B008 - frozen
) -> FileRows:
    """The rows of one file, typed, each with its line number.

    Args:
        path: The file; read as gzip if its name ends in .gz.
        columns: The columns to take.
        label: What to call the file in errors and bad rows.
        progress: Called with the rows of this file read so far.
        options: What else a person said.

    Raises:
        SourceError: The file is missing, cannot be read, is empty, lacks a
            needed column, or is no CSV.
    """
    file = OpenedFile(path, label)
    encoding = file.encoding()
    head, tail = file.ends(encoding)
    dialect = dialect_of_lines(head, label, options)
    last = [split_line(line, dialect.delimiter) for line in tail]
    try:
        layout = layout_of(label, dialect, last, columns, options)
    except TimeFormatError as error:
        raise SourceError(f"{label}: {error}") from None
    reader = _Reader(layout, progress)
    if is_plain(layout, encoding):
        with file.binary() as binary:
            reader.read_blocks(binary, encoding)
    else:
        with file.text(encoding) as lines:
            for _ in islice(lines, layout.dialect.first_row - 1):
                pass
            reader.read_lines(lines)
    return FileRows(layout, reader.result())


class _Reader:
    """Reads the rows of one file, block by block."""

    def __init__(self, layout: Layout, progress: Progress) -> None:
        self._layout = layout
        self._progress = progress
        self._number = layout.dialect.first_row
        self._blocks: list[TypedRows] = [read_block(layout, np.empty(0, dtype=np.int64), [])]
        self._unsplit: list[BadRow] = []
        self._done = 0

    def result(self) -> TypedRows:
        """All rows."""
        return joined_rows(self._blocks, self._unsplit)

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
            self._blocks.append(found)
            self._number += found.row_count
            self._done += found.row_count
            self._progress(self._done, None)

    def read_lines(self, lines: Iterator[str]) -> None:
        """Read lines of text."""
        layout = self._layout
        delimiter, width = layout.dialect.delimiter, len(layout.dialect.names)
        while chunk := list(islice(lines, _LINES_AT_ONCE)):
            split = [split_line(line, delimiter) for line in chunk]
            fits = np.fromiter((len(row) == width for row in split), bool, len(split))
            fits &= ~self._totals(split)
            self._unsplit += [
                _unsplit_row(layout.label, self._number + int(at), chunk[at], split[at], width)
                for at in np.flatnonzero(~fits)
                if chunk[at].strip() and not is_total(split[at])
            ]
            whole = [row for row, fit in zip(split, fits, strict=True) if fit]
            numbers = self._number + np.flatnonzero(fits)
            self._blocks.append(read_block(layout, numbers, whole))
            self._number += len(chunk)
            self._done += len(whole)
            self._progress(self._done + len(self._unsplit), None)

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


def _tell(progress: Progress, before: int, done: int, _total: int | None) -> None:
    progress(before + done, None)
