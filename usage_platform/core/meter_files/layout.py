"""How a table of text is laid out: which columns hold what, and how they are written.

Belongs here: what a table's names and first rows say. Not here: what all its readings together say
(`meaning`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_files import units
from usage_platform.core.meter_files.columns import (
    Table,
    TimeColumns,
    joined,
    meter_column,
    quality_column,
    time_columns,
)
from usage_platform.core.meter_files.dialect import DELIMITERS, Dialect, is_total
from usage_platform.core.meter_files.findings import Certainty, Property, Uncertain
from usage_platform.core.meter_files.numbers import decimal_mark
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.time_forms import TimeForm, day_or_month_first, is_year_first
from usage_platform.core.meter_files.value_columns import (
    ValueColumn,
    unit_of_values,
    value_columns,
)
from usage_platform.core.readings.source import NoRowsError, SourceError

_FEW = 10
_SOME = 200
"""Rows that are looked at closely: the first ones, and as many of the others."""


@dataclass(frozen=True)
class Layout:
    """How a table is laid out.

    Attributes:
        label: What to call the table in errors.
        dialect: How its lines are split.
        time: The columns of times.
        meter: The column that names meters; None without one.
        values: The columns of values, at least one.
        decimal: The decimal mark.
        unit: The unit that names say; None if they do not.
        is_register_name: Whether the values' name is one of a counter.
        stamp: The moment of the interval that names say; None if they do not.
        properties: What was found, in the order for people.
        uncertain: What a person must say.
        quantity: What the values measure, where the file says it; else None.
        quality: The column of quality flags; None without one.
    """

    label: str
    dialect: Dialect
    time: TimeColumns
    meter: int | None
    values: tuple[ValueColumn, ...]
    decimal: str
    unit: Unit | None
    is_register_name: bool
    stamp: Stamp | None
    properties: tuple[Property, ...]
    uncertain: tuple[Uncertain, ...]
    quantity: Quantity | None = None
    quality: int | None = None

    @property
    def form(self) -> TimeForm:
        """How times are written."""
        return self.time.form

    @property
    def has_interval_columns(self) -> bool:
        """Whether each interval of the day has a column."""
        return self.values[0].minutes is not None

    @property
    def has_meter_columns(self) -> bool:
        """Whether each meter has a column."""
        return bool(self.values[0].meter)


def layout_of(
    label: str,
    dialect: Dialect,
    tail: Sequence[list[str]],
    columns: CsvColumns,
    options: FileOptions,
) -> Layout:
    """How a table is laid out.

    Args:
        label: What to call it in errors.
        dialect: Its first rows, split.
        tail: Its last rows, split; they may be among the first ones.
        columns: The columns that a person named.
        options: What else a person said.

    Raises:
        SourceError: A column is missing, or no column holds times or values.
    """
    width = len(dialect.names)
    rows = [
        row
        for row in (*dialect.rows[dialect.first_row - 1 :], *tail)
        if len(row) == width and any(cell.strip() for cell in row) and not is_total(row)
    ]
    table = Table(label, dialect.names, rows, dialect.delimiter)
    some = replace(table, rows=[*rows[:_SOME], *rows[_SOME :: 1 + len(rows) // _SOME]])
    if not rows:
        _check_names(table, columns)
        raise NoRowsError(f"{label}: a header and no row; give a file that holds readings")
    time = time_columns(some, columns, options)
    taken = [*time.positions, *([] if time.end is None else [time.end])]
    meter = meter_column(some, taken, options)
    if meter is not None:
        taken.append(meter)
    uncertain: list[Uncertain] = []
    values = value_columns(some, taken, columns, options, dialect, uncertain)
    if not time.has_clock and values[0].minutes is None:
        raise SourceError(
            f"{label}: column {dialect.names[time.positions[0]]!r} holds dates without a time of "
            "day; expected the time of each row; name the column with --time-column, or two as "
            "--time-column 'date+time'"
        )
    uncertain += _several_meters(table, time, meter, values)
    if not options.time_format:
        uncertain += _date_order(table, time)
    decimal = _decimal(table, values, options, uncertain)
    unit = unit_of_values(table, values, dialect, options, uncertain)
    return Layout(
        label,
        dialect,
        time,
        meter,
        values,
        decimal,
        unit,
        any(units.is_register_name(value.name) for value in values),
        Stamp.END if time.has_end else Stamp.START if time.has_start else None,
        _properties(table, dialect, time, meter, values, decimal, columns, options),
        tuple(uncertain),
        quality=quality_column(some, [*taken, *(value.position for value in values)]),
    )


def _check_names(table: Table, columns: CsvColumns) -> None:
    """Say first which column is missing, where there is no row.

    Raises:
        MissingColumnError: A column that a person named is not there.
    """
    for part, name in (("time", columns.time), ("value", columns.value)):
        if name and "+" not in name:
            table.position(name, part)


def _several_meters(
    table: Table, time: TimeColumns, meter: int | None, values: Sequence[ValueColumn]
) -> list[Uncertain]:
    """A column that tells rows of one time apart, where no meter column is known."""
    if meter is not None or len(values) > 1:
        return []
    times = joined(table, time.positions)
    by_time: defaultdict[str, list[int]] = defaultdict(list)
    for row, text in enumerate(times):
        by_time[text].append(row)
    value = values[0].position
    shared = [
        rows
        for rows in by_time.values()
        if len({table.rows[row][value] for row in rows}) > 1 and len(rows) > 1
    ]
    if len(shared) <= len(by_time) // 5:
        return []
    taken = {*time.positions, value, time.end}
    for at, name in enumerate(table.names):
        if at not in taken and all(
            len({table.rows[row][at] for row in rows}) == len({tuple(table.rows[r]) for r in rows})
            for rows in shared
        ):
            return [
                Uncertain(
                    "meter column",
                    f"--meter-column '{name}'",
                    f"{table.label}: column {name!r} tells rows of one time apart; read each of "
                    f"its values as a meter of its own with --meter-column '{name}', or keep the "
                    "rows of one only",
                )
            ]
    return []


def _date_order(table: Table, time: TimeColumns) -> list[Uncertain]:
    """What a person must say of the order of day, month and year."""
    texts = joined(table, time.positions)
    shown = texts[0]
    if is_year_first(time.form, texts):
        mark = next(sign for sign in shown if sign in "./-")
        orders = [mark.join(parts) for parts in (("%y", "%m", "%d"), ("%d", "%m", "%y"))]
        why, option = "may begin with the year, as the last part of dates changes most", orders[0]
    elif day_or_month_first(time.form, texts):
        orders = ["%d/%m/%Y", "%m/%d/%Y"]
        why, option = "may be written day first or month first, and no row tells", "%d/%m/%Y %H:%M"
    else:
        return []
    reason = f"{shown!r} {why}; say so with --time-format '{orders[0]}' or '{orders[1]}'"
    return [Uncertain("time format", f"--time-format '{option}'", f"{table.label}: {reason}")]


def _decimal(
    table: Table,
    values: Sequence[ValueColumn],
    options: FileOptions,
    uncertain: list[Uncertain],
) -> str:
    if options.decimal:
        return options.decimal
    cells = [row[value.position] for row in table.rows for value in values]
    found = decimal_mark(cells, table.delimiter)
    if not found.is_certain:
        shown = next((cell for cell in cells if "," in cell or "." in cell), "")
        uncertain.append(
            Uncertain(
                "decimal mark",
                "--decimal ,",
                f"{table.label}: {shown!r} may be a thousand or one and a fraction; name the "
                "decimal mark with --decimal , or --decimal .",
            )
        )
    elif table.delimiter == "," and len(values) == 1 and _may_be_fraction(table, values[0], cells):
        uncertain.append(
            Uncertain(
                "decimal mark",
                "--decimal .",
                f"{table.label}: whole numbers in {values[0].name!r} are followed by a column of "
                "digits, as numbers with a decimal comma would be; if they are whole numbers say "
                "so with --decimal ., else save the file with another delimiter",
            )
        )
    return found.mark


def _may_be_fraction(table: Table, value: ValueColumn, cells: Sequence[str]) -> bool:
    """Whether the column after the value's could be the fraction of a decimal comma."""
    at = value.position + 1
    if at >= len(table.names) or units.is_meter_name(table.names[at]):
        return False
    after = [cell.strip() for cell in table.cells(at)]
    if not all(cell.strip().isdigit() for cell in cells) or not all(c.isdigit() for c in after):
        return False
    return len(after) < _FEW or not set(after) <= {"0", "1"}


def _properties(
    table: Table,
    dialect: Dialect,
    time: TimeColumns,
    meter: int | None,
    values: Sequence[ValueColumn],
    decimal: str,
    columns: CsvColumns,
    options: FileOptions,
) -> tuple[Property, ...]:
    def how(given: object) -> Certainty:
        return Certainty.GIVEN if given else Certainty.CERTAIN

    found: list[Property] = []
    if dialect.delimiter:
        word = DELIMITERS.get(dialect.delimiter, dialect.delimiter)
        option = () if dialect.delimiter == "," else ("--delimiter", word)
        found.append(Property("delimiter", word, how(options.delimiter), option))
    where = f"line {dialect.header_line}" if dialect.header_line else "none"
    found.append(Property("header", where, how(options.skip_lines is not None)))
    names = "+".join(table.names[position] for position in time.positions)
    found.append(Property("time column", names, how(columns.time), ("--time-column", names)))
    option = () if time.form.is_usual else ("--time-format", time.form.option)
    found.append(Property("time format", time.form.name, how(options.time_format), option))
    if time.end is not None:
        found.append(Property("end column", table.names[time.end], how(columns.end)))
    if len(values) == 1:
        name = values[0].name
        found.append(Property("value column", name, how(columns.value), ("--value-column", name)))
    else:
        kind = "intervals of the day" if values[0].minutes is not None else "meters"
        found.append(Property("value columns", f"{len(values)} {kind}", Certainty.CERTAIN))
    if meter is not None:
        name = table.names[meter]
        chosen = how(options.meter_column)
        found.append(Property("meter column", name, chosen, ("--meter-column", name)))
    mark = "comma" if decimal == "," else "point"
    option = ("--decimal", decimal) if decimal == "," else ()
    found.append(Property("decimal mark", mark, how(options.decimal), option))
    return tuple(found)
