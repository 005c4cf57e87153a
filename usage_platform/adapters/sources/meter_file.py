"""Reads one meter file, whatever its format: text, a workbook, Green Button or a zip.

Belongs here: telling the formats apart by their content. Not here: reading any one of them
(`csv_table`, `workbook`, `green_button_xml`, `zip_archive`).
"""

import codecs
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from usage_platform.adapters.sources.csv_table import read_csv
from usage_platform.adapters.sources.green_button_xml import parsed_meter_readings
from usage_platform.adapters.sources.opened_file import OpenedFile
from usage_platform.adapters.sources.workbook import is_office_file, read_workbook
from usage_platform.adapters.sources.zip_archive import opened_archive, zip_content
from usage_platform.core.meter_files.green_button import green_button_rows
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.readings.source import NoRowsError, Progress, SourceError

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_OLE = b"\xd0\xcf\x11\xe0"


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
    start = file.start()
    if not start.startswith(_ZIP):
        return _read_one(file, start, columns, options, progress)
    tables: list[FileRows] = []
    done = 0
    with opened_archive(file) as archive:
        if is_office_file(archive):
            return _read_one(file, start, columns, options, progress)
        content = zip_content(archive, file)
        notes = list(content.notes)
        for member in content.files:
            tell = partial(_tell, progress, done)
            found = _read_one(member, member.start(), columns, options, tell)
            done += sum(table.rows.row_count for table in found.tables)
            tables += found.tables
            notes += found.notes
    return MeterFile(tuple(tables), tuple(notes))


def _read_one(
    file: OpenedFile, start: bytes, columns: CsvColumns, options: FileOptions, progress: Progress
) -> MeterFile:
    """The tables of a file that is no archive, or of a member of one.

    Raises:
        SourceError: As for `read_meter_file`.
    """
    try:
        if start.startswith(_ZIP):
            table, others = read_workbook(file, columns, options, progress)
            notes = (f"{file.label}: sheets not read: {', '.join(others)}",) if others else ()
            return MeterFile((table,), notes)
        if start.startswith(_OLE):
            raise SourceError(
                f"{file.label}: is a workbook of Excel 97 to 2003, or has a password; expected "
                "xlsx; save it as xlsx without a password, or the sheet as CSV"
            )
        if _is_xml(start):
            found = green_button_rows(file.label, parsed_meter_readings(file), columns, options)
            return MeterFile(found.tables, found.notes)
        return MeterFile((read_csv(file, columns, progress, options),))
    except NoRowsError:
        return MeterFile((), (f"{file.label}: holds no row; left out",))


def _is_xml(start: bytes) -> bool:
    for mark in _BYTE_ORDER_MARKS:
        start = start.removeprefix(mark)
    return start.lstrip(b"\0\r\n\t ").startswith(b"<")


def _tell(progress: Progress, before: int, done: int, _total: int | None) -> None:
    progress(before + done, None)
