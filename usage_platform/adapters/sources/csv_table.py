"""Rows of one file of delimited text, in the dialects that meters and portals write.

Belongs here: from the lines of a file to typed rows. Not here: opening it (`opened_file`), and what
its lines and rows mean (`core.meter_files`).
"""

from itertools import islice

from usage_platform.adapters.sources.opened_file import OpenedFile
from usage_platform.adapters.sources.plain_rows import is_plain
from usage_platform.adapters.sources.row_reader import RowReader
from usage_platform.core.meter_files.dialect import dialect_of_lines, split_line
from usage_platform.core.meter_files.layout import layout_of
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meter_files.time_forms import TimeFormatError
from usage_platform.core.readings.source import Progress, SourceError


def read_csv(
    file: OpenedFile,
    columns: CsvColumns,
    progress: Progress,
    options: FileOptions = FileOptions(),  # noqa: B008 - frozen
) -> FileRows:
    """The rows of one file, typed, each with its line number.

    Args:
        file: The file.
        columns: The columns to take.
        progress: Called with the rows of this file read so far.
        options: What else a person said.

    Raises:
        SourceError: The file is missing, cannot be read, is empty, lacks a
            needed column, or is no CSV.
    """
    label = file.label
    encoding = file.encoding()
    head, tail = file.ends(encoding)
    dialect = dialect_of_lines(head, label, options)
    last = [split_line(line, dialect.delimiter) for line in tail]
    try:
        layout = layout_of(label, dialect, last, columns, options)
    except TimeFormatError as error:
        raise SourceError(f"{label}: {error}") from None
    reader = RowReader(layout, progress)
    if is_plain(layout, encoding):
        with file.binary() as binary:
            reader.read_blocks(binary, encoding)
    else:
        with file.text(encoding) as lines:
            for _ in islice(lines, layout.dialect.first_row - 1):
                pass
            reader.read_lines(lines)
    return FileRows(layout, reader.result())
