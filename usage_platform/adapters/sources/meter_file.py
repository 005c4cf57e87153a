"""Reads one meter file, whatever its format: delimited text, or a zip archive of files.

Belongs here: telling the formats apart by their content. Not here: reading any one of them
(`csv_table`, `zip_archive`).
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from usage_platform.adapters.sources.csv_table import read_csv
from usage_platform.adapters.sources.opened_file import OpenedFile
from usage_platform.adapters.sources.zip_archive import opened_archive, zip_content
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.readings.source import NoRowsError, Progress

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, eq=False)
class MeterFile:
    """What was read from a file.

    Attributes:
        tables: Its tables, those without a row left out.
        notes: What was not read, in lines for people.
    """

    tables: tuple[FileRows, ...]
    notes: tuple[str, ...] = ()


def read_meter_file(
    path: Path, columns: CsvColumns, options: FileOptions, progress: Progress
) -> MeterFile:
    """The tables of a file, typed.

    Args:
        path: The file; read as gzip if its name ends in .gz.
        columns: The columns to take.
        options: What else a person said.
        progress: Called with the rows of this file read so far.

    Raises:
        SourceError: The file is missing, cannot be read, is empty, lacks a needed column, or is of
            no known format.
    """
    file = OpenedFile(path, path.name)
    if not _begins_with(file, _ZIP):
        return _read_one(file, columns, options, progress)
    tables: list[FileRows] = []
    done = 0
    with opened_archive(path, path.name) as archive:
        content = zip_content(archive, path, path.name)
        notes = list(content.notes)
        for member in content.files:
            found = _read_one(member, columns, options, partial(_tell, progress, done))
            done += sum(table.rows.row_count for table in found.tables)
            tables += found.tables
            notes += found.notes
    return MeterFile(tuple(tables), tuple(notes))


def _read_one(
    file: OpenedFile, columns: CsvColumns, options: FileOptions, progress: Progress
) -> MeterFile:
    try:
        return MeterFile((read_csv(file, columns, progress, options),))
    except NoRowsError:
        return MeterFile((), (f"{file.label}: holds no row; left out",))


def _begins_with(file: OpenedFile, marks: tuple[bytes, ...]) -> bool:
    with file.binary() as binary:
        return not file.is_packed and binary.read(4).startswith(marks)


def _tell(progress: Progress, before: int, done: int, _total: int | None) -> None:
    progress(before + done, None)
