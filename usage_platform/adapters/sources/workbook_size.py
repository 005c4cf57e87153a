"""How many cells the sheets of a workbook span, before they are read into memory.

Belongs here: the limit, and counting. Not here: reading the cells (`workbook`).
"""

import re
from collections.abc import Iterator
from typing import IO
from zipfile import ZipFile

from usage_platform.core.readings.source import SourceError

MOST_CELLS = 10_000_000
_BLOCK_BYTES = 1 << 20
_TAG = re.compile(rb"<(?:\w+:)?(row|c)(?=[\s/>])([^>]*)>")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]*)(\d+)["']""")
_LETTERS = 26


def check_cells(archive: ZipFile, label: str) -> None:
    """Refuse a workbook of which a sheet spans more than 10,000,000 cells.

    A sheet is read into a rectangle from its first cell to its last one: two cells in opposite
    corners of a sheet would take more memory than there is.

    Args:
        archive: The workbook's parts.
        label: What to call the workbook in errors.

    Raises:
        SourceError: With the number of rows and columns.
    """
    # A workbook names its sheets as it likes: every part could be one.
    for part in archive.infolist():
        with archive.open(part) as content:
            _check_part(content, label)


def _check_part(content: IO[bytes], label: str) -> None:
    row = column = rows = columns = 0
    positions: dict[bytes, int] = {}
    for tag, attributes in _tags(content):
        named = _REFERENCE.search(attributes)
        if tag == b"row":
            row, column = int(named[2]) if named else row + 1, 0
            continue
        column += 1
        if named:
            letters, row = named[1], int(named[2])
            if letters not in positions:
                positions[letters] = _position(letters)
            column = positions[letters]
        rows, columns = max(rows, row), max(columns, column)
        if rows * columns > MOST_CELLS:
            raise SourceError(
                f"{label}: a sheet spans {rows:,} rows and {columns:,} columns or more; expected "
                f"at most {MOST_CELLS:,} cells; delete what lies beside the readings, or save the "
                "sheet as CSV"
            )


def _tags(content: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The names and attributes of the tags of rows and cells, in order."""
    rest = b""
    while block := content.read(_BLOCK_BYTES):
        block = rest + block
        whole = block.rfind(b">") + 1
        # A tag is short: what goes on and on is text or no XML.
        rest = block[whole:][-_BLOCK_BYTES:]
        for found in _TAG.finditer(block, 0, whole):
            yield found[1], found[2]


def _position(letters: bytes) -> int:
    """The number of a column, from 1."""
    number = 0
    for letter in letters:
        number = number * _LETTERS + letter - ord("A") + 1
    return number
