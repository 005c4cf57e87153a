"""Which columns of a table hold values, and in which unit.

Belongs here: choosing columns of values by what a person said, by names and by cells. Not here:
columns of times and meters (`columns`).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from usage_platform.core.measurement import Unit
from usage_platform.core.meter_files import units
from usage_platform.core.meter_files.channels import is_channel
from usage_platform.core.meter_files.columns import Table
from usage_platform.core.meter_files.dialect import Dialect
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.numbers import is_number
from usage_platform.core.meter_files.options import BOSTON_VALUE, CsvColumns, FileOptions

_LEAST_NUMBERS = 0.5
_CODE_DIGITS = 8
_HOURS_A_DAY, _MINUTES_A_DAY = 24, 1440
_CLOCK_NAME = re.compile(
    r"(?:[a-z ]*?)?(\d{1,2})[:.h](\d{2})(?::00)?(?: ?[-\u2013\uff5e~] ?\d{1,2}[:.]\d{2}(?::00)?)?"
)
_NUMBERED_NAME = re.compile(r"[a-z _-]*?0*(\d{1,3})")


@dataclass(frozen=True)
class ValueColumn:
    """A column of values.

    Attributes:
        position: Where it stands.
        name: Its name.
        meter: The meter it is of, where each meter has a column; else empty.
        minutes: Minutes after midnight, where each interval of the day has a column; else None.
        unit: The unit that its name or a units line says; None if they do not.
    """

    position: int
    name: str
    meter: str = ""
    minutes: int | None = None
    unit: Unit | None = None


def value_columns(
    table: Table,
    taken: Sequence[int],
    columns: CsvColumns,
    options: FileOptions,
    dialect: Dialect,
    uncertain: list[Uncertain],
) -> tuple[ValueColumn, ...]:
    """The columns of values, at least one.

    Args:
        table: The first and last rows.
        taken: Columns that hold times or meters.
        columns: The columns that a person named.
        options: What else a person said.
        dialect: Gives the units line.
        uncertain: Where it is added what a person must say.

    Raises:
        MissingColumnError: There is no such column.
    """
    chosen = columns.value or (BOSTON_VALUE if BOSTON_VALUE in table.names else "")
    if chosen:
        return (ValueColumn(table.position(chosen, "value"), chosen),)
    of_day = interval_columns(table, taken)
    if of_day:
        return of_day
    numeric = numeric_columns(table, taken)
    described = {at for at in numeric if _meter_name(table.names[at]) in options.meters}
    found = _candidates(table, taken, numeric, described, dialect)
    if len(found) == 1:
        name = table.names[found[0]]
        own = _meter_name(name) if found[0] in described else ""
        return (ValueColumn(found[0], name, meter=own, unit=_unit_at(table, found[0], dialect)),)
    others = [at for at in found if at not in described]
    kinds = {_unit_at(table, at, dialect) for at in others}
    are_meters = len(kinds) == 1 and (kinds != {None} or options.unit is not None)
    if others and (not are_meters or any(is_channel(table.names[at]) for at in others)):
        shown = ", ".join(repr(table.names[at]) for at in found[:5])
        uncertain.append(
            Uncertain(
                "value column",
                f"--value-column '{table.names[found[0]]}'",
                f"{table.label}: several columns could hold the value ({shown}); name the one with "
                "--value-column",
            )
        )
        return (ValueColumn(found[0], table.names[found[0]]),)
    return tuple(
        ValueColumn(
            at,
            table.names[at],
            meter=_meter_name(table.names[at]),
            unit=_unit_at(table, at, dialect),
        )
        for at in found
    )


def _candidates(
    table: Table,
    taken: Sequence[int],
    numeric: Sequence[int],
    described: Collection[int],
    dialect: Dialect,
) -> Sequence[int]:
    """The positions of the columns that may hold the value, at least one.

    Args:
        table: The first and last rows.
        taken: Columns that hold times or meters.
        numeric: Columns of numbers.
        described: Those among them that are named after a meter with a description.
        dialect: Gives the units line.

    Raises:
        MissingColumnError: There is no such column.
    """
    with_unit = [
        at for at in numeric if at in described or _unit_at(table, at, dialect) is not None
    ]
    # An export of electricity and gas is one of electricity; a file of gas alone is one of gas.
    of_energy = [at for at in with_unit if at in described or not _is_volume(table, at, dialect)]
    found = (
        of_energy
        or with_unit
        or [at for at in numeric if not units.is_other_quantity(table.names[at])]
    )
    if not found:
        # A column whose every cell is unreadable is reported row by row.
        found = [
            at
            for at, name in enumerate(table.names)
            if at not in taken and (units.unit_of(name) is not None)
        ][:1]
    if not found:
        others = [at for at in range(len(table.names)) if at not in taken]
        if len(others) != 1:
            table.position("value", "value")
        found = others
    return found


def _meter_name(column: str) -> str:
    """A column's name without its unit in brackets."""
    for opening, closing in (("(", ")"), ("[", "]")):
        start = column.rfind(opening)
        if start > 0 and column.rstrip().endswith(closing) and units.unit_of(column[start:]):
            return column[:start].strip()
    return column


def _unit_at(table: Table, at: int, dialect: Dialect) -> Unit | None:
    said = _said_at(table, at, dialect)
    return next((unit for text in said if (unit := units.unit_of(text)) is not None), None)


def _is_volume(table: Table, at: int, dialect: Dialect) -> bool:
    unit = _unit_at(table, at, dialect)
    return unit is not None and unit.is_volume


def unit_of_values(
    table: Table,
    values: Sequence[ValueColumn],
    dialect: Dialect,
    options: FileOptions,
    uncertain: list[Uncertain],
) -> Unit | None:
    """The unit that the names, a units line or a column of units say; None if none does.

    Args:
        table: The first and last rows.
        values: The columns of values.
        dialect: Gives the units line.
        options: What a person said.
        uncertain: Where a unit that cannot be read is added.
    """
    said = [text for value in values for text in _said_at(table, value.position, dialect)]
    for at, name in enumerate(table.names):
        if units.is_unit_column(name):
            texts = {cell.strip() for cell in table.cells(at)} - {""}
            said += texts if len(texts) == 1 else ()
            break
    found = next((unit for text in said if (unit := units.unit_of(text)) is not None), None)
    foreign = next((unit for text in said if (unit := units.foreign_unit_of(text))), "")
    if foreign and found is None and options.unit is None:
        uncertain.append(
            Uncertain(
                "unit",
                "",
                f"{table.label}: its values are in {foreign!r}; expected one of "
                f"{', '.join(Unit)}: convert the values first",
            )
        )
    return found


def _said_at(table: Table, at: int, dialect: Dialect) -> list[str]:
    """What may name the unit of a column."""
    return [table.names[at], *([dialect.units[at]] if dialect.units else [])]


def numeric_columns(table: Table, taken: Sequence[int]) -> list[int]:
    """Columns whose cells are mostly numbers."""
    found: list[int] = []
    for at in range(len(table.names)):
        given = [cell for cell in table.cells(at) if cell.strip()]
        if not given or (len(given) > 1 and len(set(given)) == 1 and is_code(given[0])):
            continue
        if at not in taken and sum(map(is_number, given)) >= max(1, _LEAST_NUMBERS * len(given)):
            found.append(at)
    return found


def _of_one_name(
    table: Table, found: list[tuple[int, re.Match[str]]]
) -> list[tuple[int, re.Match[str]]]:
    """The numbered columns, without those of flags that stand between them, as `kWh_1,flag_1`."""
    by_name: dict[str, list[tuple[int, re.Match[str]]]] = {}
    for at, match in found:
        by_name.setdefault(match[0][: match.start(1)].rstrip("0"), []).append((at, match))
    numeric = {*numeric_columns(table, ())}
    of_numbers = [one for one in by_name.values() if numeric.intersection(at for at, _ in one)]
    return of_numbers[0] if len(of_numbers) == 1 else found


def is_code(cell: str) -> bool:
    """Whether a cell that is the same in all rows is the number of something, not a value."""
    return cell.strip().isdigit() and len(cell.strip()) >= _CODE_DIGITS


def interval_columns(table: Table, taken: Sequence[int]) -> tuple[ValueColumn, ...]:
    """Columns of the intervals of a day, named by times of day or numbered; none if there are none.

    `minutes` is the column's name as minutes after midnight, or its number's start. A name of the
    end of an interval (`00:30` first and `24:00` or `00:00` last) gives its start.
    """
    for pattern in (_CLOCK_NAME, _NUMBERED_NAME):
        found = [
            (at, match)
            for at, name in enumerate(table.names)
            if at not in taken and (match := pattern.fullmatch(name.strip().lower()))
        ]
        if pattern is _NUMBERED_NAME:
            found = _of_one_name(table, found)
        count = len(found)
        if count < _HOURS_A_DAY or (count % _HOURS_A_DAY and pattern is _CLOCK_NAME):
            continue
        if pattern is _CLOCK_NAME:
            minutes = [int(match[1]) * 60 + int(match[2]) for _, match in found]
            step = _MINUTES_A_DAY // count
            if minutes[0] == step:
                minutes = [at * step for at in range(count)]
        else:
            numbers = [int(match[1]) for _, match in found]
            if numbers != list(range(numbers[0], numbers[0] + count)):
                continue
            # The day the clocks go back has 25 hours.
            step = _MINUTES_A_DAY // (count * _HOURS_A_DAY // 25 if count % 25 == 0 else count)
            minutes = [at * step for at in range(count)]
        return tuple(
            ValueColumn(at, table.names[at], minutes=minute)
            for (at, _), minute in zip(found, minutes, strict=True)
        )
    return ()
