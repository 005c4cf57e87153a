"""What every source of readings hands over, whatever it reads.

Belongs here: the contract between sources and the rest. Not here: any one source (adapters), and
how rows of text become readings (`reading_rows`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from usage_platform.core.limits import FUTURE_TOLERANCE, EventLimits
from usage_platform.core.meters import Meter

Progress = Callable[[int, int | None], None]
"""Called with the rows done so far and the rows in all, or None while that is not known."""

_LONGEST_TEXT = 80
_LONGEST_HEADER = 400
_MOST_BAD = 0.2


class SourceError(ValueError):
    """A source that cannot be read at all; its message is one line for the user."""


class NoRowsError(SourceError):
    """A file with a header and no row."""


class MissingColumnError(SourceError):
    """A file without a needed column.

    Attributes:
        column: The column that was looked for.
        header: The columns that are there.
    """

    def __init__(self, file: str, part: str, column: str, header: Sequence[str]) -> None:
        super().__init__(
            f"{file}: no column {column!r} for the {part}; the columns are {shown_header(header)}; "
            f"set the {part} column to the one that holds it with --{part}-column"
        )
        self.column = column
        self.header = tuple(header)


def shown_header(header: Sequence[str]) -> str:
    """The names of columns, in a line that is not too long."""
    text = ", ".join(header)
    return text if len(text) <= _LONGEST_HEADER else f"{text[: _LONGEST_HEADER - 1]}…"


@dataclass(frozen=True)
class BadRow:
    """A row that did not become a reading.

    Attributes:
        file: The file or resource it stands in.
        row: Its line number in the file, where the header is line 1; of a portal's table, its
            `_id` there; of a Green Button file, the position of the value among all of the file.
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

    Every row of the source is counted once: `rows == len(frame) + repeated_rows + len(bad_rows)`,
    unless `source_rows` says that rows and readings are not one to one.

    Attributes:
        frame: Columns meter (object, str), ts (datetime64[ns, UTC], start of the interval) and
            value (float64, mean kW over the interval); sorted by ts, then meter; one row for each
            (meter, ts); a fresh index.
        meters: The meters that occur.
        bad_rows: The rows that could not be read, in the order of the source.
        repeated_rows: Readable rows whose (meter, ts) came again further on; the last one wins.
        faults: Of generated data the faults put in, else None. Columns meter, kind, start and
            end (datetime64[ns, UTC], end exclusive) and detail.
        source_rows: How many rows the source holds, where a reading is not one row: registers,
            finer rows, a column a meter. None otherwise.
        bad_rows_allowed: Whether more than a fifth of the rows may be bad.
        notes: How the source was understood and what happened to rows, in lines for people.
        quality: For each row of `frame` the quality flags that the source gives, as written; empty
            texts without one. None where the source has no flags.
    """

    frame: pd.DataFrame
    meters: tuple[Meter, ...]
    bad_rows: tuple[BadRow, ...]
    repeated_rows: int
    faults: pd.DataFrame | None = None
    source_rows: int | None = None
    bad_rows_allowed: bool = False
    notes: tuple[str, ...] = ()
    quality: tuple[str, ...] | None = None

    @property
    def rows(self) -> int:
        """How many rows the source holds."""
        if self.source_rows is not None:
            return self.source_rows
        return len(self.frame) + self.repeated_rows + len(self.bad_rows)

    def check_readable(self) -> None:
        """Refuse a source none of whose rows is a reading, or of which more than a fifth is bad.

        A few bad rows are reported and left out; when many are bad, the columns, the time zone or
        the interval are not those of the source.

        Raises:
            SourceError: With the first of the rows.
        """
        if self.bad_rows and self.frame.empty:
            first, count = self.bad_rows[0], len(self.bad_rows)
            raise SourceError(f"{first.file}: none of {count:,} rows is a reading; first: {first}")
        if len(self.bad_rows) > _MOST_BAD * self.rows and not self.bad_rows_allowed:
            first, count = self.bad_rows[0], len(self.bad_rows)
            raise SourceError(
                f"{first.file}: {count:,} of {self.rows:,} rows are bad, more than a fifth; first: "
                f"{first}; correct the options, or play the others with --allow-bad-rows"
            )

    def check_accepted(self, now: pd.Timestamp, limits: EventLimits) -> None:
        """Refuse a source of which the topic would reject the newest or oldest reading.

        Args:
            now: The current time.
            limits: Those of the topic.

        Raises:
            SourceError: With that reading.
        """
        oldest = self.frame["ts"].min() if len(self.frame) else None
        if oldest is not None and oldest < pd.Timestamp(limits.oldest_day, tz="UTC"):
            raise SourceError(
                f"the oldest reading is of {oldest:%Y-%m-%d %H:%M} UTC, before "
                f"{limits.oldest_day}, from when on readings are accepted; correct its time, or "
                "set USAGE_OLDEST_TIME"
            )
        newest = self.frame["ts"].max() if len(self.frame) else None
        if newest is not None and newest > now + FUTURE_TOLERANCE:
            name = str(self.frame["meter"].to_numpy()[self.frame["ts"].argmax()])
            zone = next((m.timezone for m in self.meters if m.name == name), "UTC")
            raise SourceError(
                f"the newest reading of {name} is of {newest:%Y-%m-%d %H:%M} UTC, in the "
                f"future, when its local times are read in {zone}; set the time zone of the "
                "building with --timezone"
            )


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
