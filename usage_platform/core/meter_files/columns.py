"""Which columns of a table hold times, values and meters.

Belongs here: choosing columns by what a person said, by names and by cells. Not here: how their
texts are read (`times`, `numbers`), and units (`units`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from usage_platform.core.meter_files import units
from usage_platform.core.meter_files.options import (
    BOSTON_END,
    BOSTON_TIME,
    CsvColumns,
    FileOptions,
)
from usage_platform.core.meter_files.time_forms import (
    TimeForm,
    given_form,
    has_offsets_of_ranges,
    is_range,
    recognised,
)
from usage_platform.core.readings.source import MissingColumnError, SourceError, shown_header

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?\s?[Mm]\.?)?(?:\s?(?:Uhr|h))?"


@dataclass(frozen=True)
class Table:
    """The first and last rows of a table.

    Attributes:
        label: What to call it in errors.
        names: The columns' names.
        rows: Cells of rows, each as wide as the header.
        delimiter: What separated the fields; empty for a workbook.
    """

    label: str
    names: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    delimiter: str = ""

    def cells(self, position: int) -> list[str]:
        """The cells of one column."""
        return [row[position] for row in self.rows]

    def position(self, name: str, part: str) -> int:
        """Where a column stands that a person named.

        Raises:
            MissingColumnError: There is none of that name.
            SourceError: There are several.
        """
        count = self.names.count(name)
        if count > 1:
            raise SourceError(
                f"{self.label}: column {name!r} occurs {count} times; rename all but one"
            )
        if count == 0:
            raise MissingColumnError(self.label, part, name, self.names)
        return self.names.index(name)


@dataclass(frozen=True)
class TimeColumns:
    """Where the times of a table are.

    Attributes:
        positions: One column, or one of dates and one of times of day.
        form: How they are written, both joined by a blank.
        has_clock: Whether there is a time of day.
        end: The column with the end of the interval; None without one.
        has_start: Whether the name says that it holds the start of the interval.
        has_end: Whether the name says that it holds the end of the interval.
        utc_offset: Minutes ahead of UTC that the name says; None for local times.
        end_utc_offset: The same of the column with the end.
    """

    positions: tuple[int, ...]
    form: TimeForm
    has_clock: bool
    end: int | None
    has_start: bool
    has_end: bool
    utc_offset: int | None = None
    end_utc_offset: int | None = None


def time_columns(table: Table, columns: CsvColumns, options: FileOptions) -> TimeColumns:
    """The columns of times.

    Raises:
        MissingColumnError: A column that a person named is not there.
        SourceError: No column holds times.
    """
    positions = _named_times(table, columns)
    if positions is None:
        positions = _recognised_times(table, options)
    texts = joined(table, positions)
    if options.time_format:
        form, has_clock = given_form(options.time_format), True
    else:
        form, has_clock = recognised(texts, least_share=0), True
        if form is None:
            form, has_clock = recognised(texts, with_clock=False, least_share=0), False
    if form is None:
        shown = next((text for text in texts if text.strip()), "")
        raise SourceError(
            f"{table.label}: {_named(table, positions)} holds no times that are known, such as "
            f"{shown[:40]!r}; name the column with --time-column, or the form with --time-format"
        )
    if not options.time_format and has_offsets_of_ranges(form, texts):
        raise SourceError(
            f"{table.label}: {texts[0]!r} of {_named(table, positions)} may be an interval or a "
            "time with an offset; write the start alone, or blanks around the mark between start "
            "and end"
        )
    names = " ".join(table.names[position] for position in positions)
    end = _end_column(table, columns, positions)
    has_start = units.is_start_name(names) or end is not None or any(map(is_range, texts[:1]))
    return TimeColumns(
        positions,
        form,
        has_clock,
        end,
        has_start,
        units.is_end_name(names) and not has_start,
        units.utc_offset_of(names),
        None if end is None else units.utc_offset_of(table.names[end]),
    )


def joined(table: Table, positions: Sequence[int]) -> list[str]:
    """The texts of the time of each row."""
    return [" ".join(row[position].strip() for position in positions) for row in table.rows]


def _named(table: Table, positions: Sequence[int]) -> str:
    return "column " + " and ".join(repr(table.names[position]) for position in positions)


def _named_times(table: Table, columns: CsvColumns) -> tuple[int, ...] | None:
    if not columns.time:
        return (table.names.index(BOSTON_TIME),) if BOSTON_TIME in table.names else None
    if columns.time not in table.names and "+" in columns.time:
        return tuple(table.position(name.strip(), "time") for name in columns.time.split("+"))
    return (table.position(columns.time, "time"),)


def _recognised_times(table: Table, options: FileOptions) -> tuple[int, ...]:
    columns = range(len(table.names))
    whole = [at for at in columns if _has_form(table.cells(at), options, True)]
    dates = [at for at in columns if _has_form(table.cells(at), options, False)]
    whole = [at for at in whole if not _is_identifier(table, at)]
    # When a row was made or changed is the same in all of them.
    varying = [at for at in whole if _varies(table, at)]
    whole = varying if varying or any(_clock_columns(table, date) for date in dates) else whole
    if whole:
        utc = [at for at in whole if units.utc_offset_of(table.names[at]) is not None]
        starts = [at for at in whole if units.is_start_name(table.names[at])]
        others = [at for at in whole if not units.is_end_name(table.names[at])]
        return ((utc or starts or others or whole)[0],)
    for date in dates:
        for clock in _clock_columns(table, date):
            return (date, clock)
    if dates:
        return (dates[0],)
    shown = shown_header(table.names)
    raise SourceError(
        f"{table.label}: no column holds times that are known; the columns are {shown}; set the "
        "time column to the one that holds them with --time-column, or name the form of its times "
        "with --time-format"
    )


def _is_identifier(table: Table, at: int) -> bool:
    """Whether digits that could be seconds since 1970 are the number of a meter or a contract."""
    is_digits = all(cell.strip().isdigit() for cell in table.cells(at) if cell.strip())
    return is_digits and (units.is_meter_name(table.names[at]) or not _varies(table, at))


def _varies(table: Table, at: int) -> bool:
    return len(table.rows) < 2 or len(set(table.cells(at))) > 1


def _has_form(cells: Sequence[str], options: FileOptions, with_clock: bool) -> bool:
    if options.time_format and with_clock:
        form = given_form(options.time_format)
        given = [cell for cell in cells if cell.strip()]
        return any(re.fullmatch(form.pattern, cell.strip()) for cell in given)
    form = recognised(cells, with_clock=with_clock)
    return form is not None


def _clock_columns(table: Table, date: int) -> list[int]:
    """Columns of times of day, the start of the interval first."""
    clocks: list[int] = []
    for at, name in enumerate(table.names):
        given = [cell.strip() for cell in table.cells(at) if cell.strip()]
        has_clocks = bool(given) and all(
            re.fullmatch(_CLOCK, c[: c.index(" ")] if is_range(c) and " " in c else c)
            for c in given
        )
        has_hours = re.search(r"hour|stunde|ora|heure|^he$", name.lower()) is not None
        are_hours = bool(given) and has_hours and all(c.isdigit() for c in given)
        # `0130` under the name of a time.
        has_time = re.search(r"time|zeit|hour|clock|heure|ora", name.lower()) is not None
        are_hours |= bool(given) and has_time and all(re.fullmatch(r"\d{4}", c) for c in given)
        if at != date and (has_clocks or are_hours):
            clocks.append(at)
    return sorted(clocks, key=lambda at: units.is_end_name(table.names[at]))


def _end_column(table: Table, columns: CsvColumns, times: Sequence[int]) -> int | None:
    if columns.end is None:
        return None
    if columns.end:
        return table.position(columns.end, "end")
    if BOSTON_END in table.names:
        return table.names.index(BOSTON_END)
    if units.is_end_name(table.names[times[0]]):
        return None
    return next(
        (
            at
            for at, name in enumerate(table.names)
            if at not in times
            and units.is_end_name(name)
            and recognised(table.cells(at))
            and _varies(table, at)
        ),
        None,
    )


def meter_column(table: Table, taken: Sequence[int], options: FileOptions) -> int | None:
    """The column that names the meter of a row; None without one.

    Raises:
        MissingColumnError: The column that a person named is not there.
    """
    if options.meter_column:
        return table.position(options.meter_column, "meter")
    found = [
        at
        for at, name in enumerate(table.names)
        if at not in taken
        and units.is_meter_name(name)
        and units.unit_of(name) is None
        and any(cell.strip() for cell in table.cells(at))
    ]
    return max(found, key=lambda at: len(set(table.cells(at)))) if found else None


def quality_column(table: Table, taken: Sequence[int]) -> int | None:
    """The first column of quality flags, by its name; None without one."""
    places = (at for at, name in enumerate(table.names) if units.is_quality_name(name))
    return next((at for at in places if at not in taken), None)
