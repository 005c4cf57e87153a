"""Readings from CSV files, plain or gzip.

Belongs here: opening files and splitting their lines. Not here: what a readable row is
(`core.readings.csv_rows`), and fetching files from elsewhere.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

import numpy as np

from usage_platform.core.meters import Meter
from usage_platform.core.readings.csv_rows import (
    CsvColumns,
    FileReadings,
    RawRows,
    combine,
    read_rows,
)
from usage_platform.core.readings.source import (
    BadRow,
    MissingColumnError,
    Progress,
    SourceError,
    SourceReadings,
)

_LINES_AT_ONCE = 50_000
# Neither stands in a line of text; the second is what a byte that is no UTF-8 becomes.
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\ufffd]")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class CsvSource:
    """CSV files of one meter: a header, then one row a line, fields parted by commas, UTF-8.

    Attributes:
        paths: The files; a name that ends in .gz is read as gzip. In what order they are given
            matters only where two hold the same reading: the last one wins.
        meter: Whose readings they are; gives the time zone and the interval.
        columns: Which columns hold what; other columns are ignored.
    """

    paths: tuple[Path, ...]
    meter: Meter = field(default_factory=Meter)
    columns: CsvColumns = field(default_factory=CsvColumns)

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
                needed column, or is no CSV; or there is no readable row in any of them.
        """
        if not self.paths:
            raise SourceError("csv: no file to read; give at least one")
        files: list[FileReadings] = []
        done = 0
        for path in self.paths:
            rows = read_csv(path, self.columns, path.name, partial(_tell, progress, done))
            done += len(rows.numbers) + len(rows.bad_rows)
            files.append(read_rows(rows, self.meter, self.columns))
        if done == 0:
            raise SourceError(f"{self.name}: a header and no row; give a file that holds readings")
        progress(done, done)
        return combine(files, (self.meter,))


def read_csv(path: Path, columns: CsvColumns, label: str, progress: Progress) -> RawRows:
    """The rows of one file as text, each with its line number.

    Args:
        path: The file; read as gzip if its name ends in .gz.
        columns: The columns to take.
        label: What to call the file in errors and bad rows.
        progress: Called with the rows of this file read so far.

    Raises:
        SourceError: The file is missing, cannot be read, is empty, lacks a
            needed column, or is no CSV.
    """
    try:
        with _open_text(path) as lines:
            return _split_lines(lines, columns, label, progress)
    except IsADirectoryError:
        raise SourceError(f"{label}: is a folder; give its files, as '{path}/*.csv'") from None
    except FileNotFoundError:
        raise SourceError(f"{label}: no such file ({path}); check the path") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(
            f"{label}: damaged gzip ({error}); fetch or pack the file again"
        ) from None
    except OSError as error:
        raise SourceError(
            f"{label}: cannot be read ({error.strerror or error}); check it"
        ) from None


def _open_text(path: Path) -> TextIO:
    # A byte that is not UTF-8 must cost its row at most, not the file.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace")
    return path.open(encoding="utf-8-sig", errors="replace")


def _split_lines(
    lines: Iterator[str], columns: CsvColumns, label: str, progress: Progress
) -> RawRows:
    header_at, header = next(
        ((number, line) for number, line in enumerate(lines, start=1) if line.strip()), (0, "")
    )
    if not header_at:
        raise SourceError(f"{label}: empty; expected a header and rows; give a file with readings")
    names = [name.strip() for name in _fields(header)]
    try:
        positions = columns.positions(names, label)
    except MissingColumnError:
        _check_is_csv(header, names, label)
        raise
    numbers: list[np.ndarray] = [np.empty(0, dtype=np.int64)]
    fields: dict[str, list[str]] = {part: [] for part in positions}
    bad_rows: list[BadRow] = []
    next_number = header_at + 1
    # pandas' reader loses the numbers of rows that are too long, and a stray quote swallows the
    # lines after it; splitting here keeps both right and is as fast.
    while chunk := list(islice(lines, _LINES_AT_ONCE)):
        split = [_fields(line) for line in chunk]
        fits = np.fromiter((len(row) == len(names) for row in split), bool, len(split))
        bad_rows += [
            _unsplit_row(label, next_number + int(at), chunk[at], split[at], len(names))
            for at in np.flatnonzero(~fits)
            if chunk[at].strip()
        ]
        numbers.append(next_number + np.flatnonzero(fits))
        whole = [row for row, fit in zip(split, fits, strict=True) if fit]
        for part, position in positions.items():
            fields[part] += [row[position] for row in whole]
        next_number += len(chunk)
        progress(len(fields["time"]) + len(bad_rows), None)
    return RawRows(label, np.concatenate(numbers), fields, tuple(bad_rows))


def _check_is_csv(header: str, names: list[str], label: str) -> None:
    """Say what a file is whose header has not the needed columns, where that can be seen.

    Raises:
        SourceError: If it is no text, or its fields are not parted by commas.
    """
    if _NO_TEXT.search(header):
        raise SourceError(
            f"{label}: no text in UTF-8; expected a CSV file, or a gzip whose name ends in .gz; "
            "unpack it, or save it as CSV in UTF-8"
        )
    other = next((sign for sign in _OTHER_DELIMITERS if sign in header and len(names) == 1), None)
    if other:
        raise SourceError(
            f"{label}: the fields of its header are parted by {_OTHER_DELIMITERS[other]}; expected "
            "commas; save it with commas, and numbers with a decimal point"
        )


def _fields(line: str) -> list[str]:
    """The fields of one line; none if its quotes do not pair."""
    line = line.rstrip("\n")
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return []


def _unsplit_row(label: str, number: int, line: str, fields: list[str], width: int) -> BadRow:
    if fields:
        reason = f"has {len(fields)} fields; expected {width}, as in the header"
    else:
        reason = "has quotes that do not pair; expected a row on one line"
    return BadRow(label, number, "row", line.strip(), reason)


def _tell(progress: Progress, before: int, done: int, _total: int | None) -> None:
    progress(before + done, None)
