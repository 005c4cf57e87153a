"""What every source of readings hands over, whatever it reads.

Belongs here: the contract between sources and the rest. Not here: any one source (adapters), and
how rows of text become readings (`reading_rows`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from usage_platform.core.meters import Meter

Progress = Callable[[int, int | None], None]
"""Called with the rows done so far and the rows in all, or None while that is not known."""

_LONGEST_TEXT = 80
_LONGEST_HEADER = 400


class SourceError(ValueError):
    """A source that cannot be read at all; its message is one line for the user."""


class MissingColumnError(SourceError):
    """A file without a needed column.

    Attributes:
        column: The column that was looked for.
        header: The columns that are there.
    """

    def __init__(self, file: str, part: str, column: str, header: Sequence[str]) -> None:
        super().__init__(
            f"{file}: no column {column!r} for the {part}; the columns are {_shown(header)}; "
            f"set the {part} column to the one that holds it"
        )
        self.column = column
        self.header = tuple(header)


def _shown(header: Sequence[str]) -> str:
    text = ", ".join(header)
    return text if len(text) <= _LONGEST_HEADER else f"{text[: _LONGEST_HEADER - 1]}…"


@dataclass(frozen=True)
class BadRow:
    """A row that did not become a reading.

    Attributes:
        file: The file or resource it stands in.
        row: Its line number in the file, where the header is line 1; of a portal's table, its
            `_id` there.
        field: The column at fault, or "row" where the whole row is.
        text: What stands there.
        reason: What is wrong with it and what was expected.
    """

    file: str
    row: int
    field: str
    text: str
    reason: str

    def __str__(self) -> str:
        shown = self.text
        if len(shown) > _LONGEST_TEXT:
            shown = shown[: _LONGEST_TEXT - 1] + "…"
        return f"{self.file}:{self.row}: {self.field}: {shown!r} {self.reason}"


@dataclass(frozen=True, eq=False)
class SourceReadings:
    """The readings of a source, and an account of the rows that gave none.

    Every row of the source is counted once: `rows == len(frame) + repeated_rows + len(bad_rows)`.

    Attributes:
        frame: Columns meter (object, str), ts (datetime64[ns, UTC], start of the interval) and
            value (float64, mean kW over the interval); sorted by ts, then meter; one row for each
            (meter, ts); a fresh index.
        meters: The meters that occur.
        bad_rows: The rows that could not be read, in the order of the source.
        repeated_rows: Readable rows whose (meter, ts) came again further on; the last one wins.
        faults: Of generated data the faults put in, else None. Columns meter, kind, start and
            end (datetime64[ns, UTC], end exclusive) and detail.
    """

    frame: pd.DataFrame
    meters: tuple[Meter, ...]
    bad_rows: tuple[BadRow, ...]
    repeated_rows: int
    faults: pd.DataFrame | None = None

    @property
    def rows(self) -> int:
        """How many rows the source holds."""
        return len(self.frame) + self.repeated_rows + len(self.bad_rows)

    def check_readable(self) -> None:
        """Refuse a source none of whose rows is a reading.

        One bad row is reported and left out; when all are bad, the columns, the time zone or the
        interval are not those of the source.

        Raises:
            SourceError: With the first of the rows.
        """
        if self.bad_rows and self.frame.empty:
            first, count = self.bad_rows[0], len(self.bad_rows)
            raise SourceError(f"{first.file}: none of {count:,} rows is a reading; first: {first}")


class ReadingSource(Protocol):
    """Anything that readings can be loaded from."""

    @property
    def name(self) -> str:
        """What it reads, for people, such as "csv bpl_seven_tuesdays.csv"."""
        ...

    def load(self, progress: Progress) -> SourceReadings:
        """All readings of the source.

        Args:
            progress: Told how far it is, from time to time.

        Raises:
            SourceError: The source cannot be read at all.
        """
        ...
