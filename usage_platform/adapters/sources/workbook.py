"""Rows of one sheet of a workbook (xlsx): the same rows of text that a CSV file would have.

Belongs here: choosing the sheet and reading its rows. Not here: cells as text
(`core.meter_files.sheet_cells`), and what rows mean (`core.meter_files`).
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from zipfile import ZipFile

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from usage_platform.adapters.sources.opened_file import HEAD_LINES, OpenedFile
from usage_platform.adapters.sources.row_reader import RowReader
from usage_platform.adapters.sources.unpacked_size import check_unpacked_size
from usage_platform.adapters.sources.workbook_size import check_cells
from usage_platform.adapters.sources.zip_archive import opened_parts
from usage_platform.core.meter_files.dialect import dialect_of_rows
from usage_platform.core.meter_files.findings import Certainty, Property, Uncertain
from usage_platform.core.meter_files.layout import Layout, layout_of
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meter_files.sheet_cells import column_kinds, row_text
from usage_platform.core.meter_files.time_forms import TimeFormatError
from usage_platform.core.readings.source import Progress, SourceError

_WORKBOOK_PART = "xl/workbook.xml"
_OFFICE_PARTS = {_WORKBOOK_PART, "[Content_Types].xml", "mimetype"}
"""Parts of xlsx; of workbooks of other formats, such as xlsb and ods; of other documents."""


@dataclass(frozen=True, eq=False)
class _ChosenSheet:
    sheet: CalamineSheet
    layout: Layout
    others: tuple[str, ...]


def read_workbook(
    file: OpenedFile, columns: CsvColumns, options: FileOptions, progress: Progress
) -> tuple[FileRows, tuple[str, ...]]:
    """The rows of the sheet that holds readings, and the names of sheets that are not read.

    Args:
        file: The workbook.
        columns: The columns to take.
        options: What else a person said, such as the name of the sheet.
        progress: Called with the rows read so far.

    Raises:
        SourceError: It is damaged or too large, or no sheet holds readings.
    """
    with file.seekable() as content:
        with opened_parts(content, file.label) as parts:
            _check_kind(parts, file.label)
            unpacked = sum(part.file_size for part in parts.infolist())
            check_unpacked_size(file.label, unpacked, content.seek(0, 2))
            check_cells(parts, file.label)
        content.seek(0)
        try:
            with CalamineWorkbook.from_filelike(content) as workbook:
                chosen = _chosen_sheet(workbook, file.label, columns, options)
        except (CalamineError, OSError, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            reason = " ".join(str(error).split())
            raise SourceError(
                f"{file.label}: damaged workbook ({reason}); open and save it again, or save the "
                "sheet as CSV"
            ) from None
    reader = RowReader(chosen.layout, progress)
    reader.read_cells(islice(_texts(chosen.sheet), chosen.layout.dialect.first_row - 1, None))
    return FileRows(chosen.layout, reader.result()), chosen.others


def is_office_file(archive: ZipFile) -> bool:
    """Whether a zip archive is a workbook or another document, not an archive of files."""
    return not _OFFICE_PARTS.isdisjoint(archive.namelist())


def _check_kind(parts: ZipFile, label: str) -> None:
    if _WORKBOOK_PART not in parts.namelist():
        what = "another document than xlsx" if is_office_file(parts) else "an archive"
        raise SourceError(
            f"{label}: is {what}; expected a workbook in xlsx; save it as xlsx, or the sheet as CSV"
        )


def _chosen_sheet(
    workbook: CalamineWorkbook, label: str, columns: CsvColumns, options: FileOptions
) -> _ChosenSheet:
    """The sheet that a person named, or the only one with cells, or the first one with readings.

    Raises:
        SourceError: There is none.
    """
    names = [one.name for one in workbook.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
    if options.sheet and options.sheet not in names:
        raise SourceError(
            f"{label}: no sheet {options.sheet!r}; the sheets are {_shown(names)}; name one with "
            "--sheet"
        )
    filled: list[str] = []
    fitting: list[str] = []
    first: tuple[CalamineSheet, Layout] | None = None
    misfit: SourceError | None = None
    for name in [options.sheet] if options.sheet else names:
        sheet = workbook.get_sheet_by_name(name)
        if sheet.start is None:
            continue
        filled.append(name)
        try:
            layout = _layout(sheet, label, columns, options)
        except SourceError as error:
            misfit = error
            continue
        fitting.append(name)
        first = first or (sheet, layout)
    if first is None:
        raise _no_readings(label, filled, misfit)
    sheet, layout = first
    certainty = Certainty.GIVEN if options.sheet else Certainty.CERTAIN
    option = ("--sheet", sheet.name) if len(names) > 1 else ()
    found = Property("sheet", sheet.name, certainty, option)
    unclear = (_several(label, fitting),) if len(fitting) > 1 else ()
    layout = replace(
        layout,
        properties=(found, *layout.properties),
        uncertain=(*unclear, *layout.uncertain),
    )
    return _ChosenSheet(sheet, layout, tuple(name for name in filled if name != sheet.name))


def _no_readings(label: str, filled: list[str], misfit: SourceError | None) -> SourceError:
    if misfit is None:
        return SourceError(f"{label}: no sheet has cells; expected one with readings")
    if len(filled) == 1:
        return misfit
    return SourceError(
        f"{label}: none of the sheets {_shown(filled)} holds readings that are known; name the one "
        "that does with --sheet"
    )


def _shown(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")


def _several(label: str, names: list[str]) -> Uncertain:
    option = f"--sheet {shlex.quote(names[0])}"
    return Uncertain(
        "sheet",
        option,
        f"{label}: several sheets hold readings ({_shown(names)}); name one with --sheet, such as "
        f"{option}",
    )


def _layout(
    sheet: CalamineSheet,
    label: str,
    columns: CsvColumns,
    options: FileOptions,
) -> Layout:
    label = f"{label}/{sheet.name if sheet.name.isprintable() else repr(sheet.name)}"
    head = list(islice(_texts(sheet), HEAD_LINES))
    dialect = dialect_of_rows(head, label, options)
    try:
        return layout_of(label, dialect, [], columns, options)
    except TimeFormatError as error:
        raise SourceError(f"{label}: {error}") from None


def _texts(sheet: CalamineSheet) -> Iterator[list[str]]:
    """The texts of all rows from the sheet's first one on; an empty list for an empty row."""
    rows = sheet.iter_rows()
    head = list(islice(rows, HEAD_LINES))
    kinds = column_kinds(head)
    return (row_text(row, kinds) for row in chain(head, rows))
