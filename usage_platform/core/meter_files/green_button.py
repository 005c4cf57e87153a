"""Meter readings of a Green Button file become typed rows.

Belongs here: which of them are read, their meters, units and flows. Not here: parsing XML
(adapters), and what the rows mean (`meaning`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Ints
from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_files.columns import TimeColumns
from usage_platform.core.meter_files.dialect import Dialect
from usage_platform.core.meter_files.espi import (
    ACCUMULATIONS_OF_POWER,
    FLOWS,
    MEAN_QUALIFIERS,
    MOST_POWER_OF_TEN,
    OTHER_UNITS,
    QUANTITIES_OF_ENERGY,
    UNITS,
    MeterReading,
    ReadingType,
)
from usage_platform.core.meter_files.findings import Certainty, Property, Uncertain
from usage_platform.core.meter_files.green_button_flows import chosen_flows
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.rows import TypedRows
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meter_files.time_forms import given_form
from usage_platform.core.meter_files.value_columns import ValueColumn
from usage_platform.core.meters import LONGEST_NAME, is_meter_name
from usage_platform.core.readings.source import NoRowsError, SourceError

_NAMES = ("start", "value", "end")
_NS = 10**9
_SHOWN = 80


@dataclass(frozen=True, eq=False)
class GreenButtonRows:
    """What is read of a file.

    Attributes:
        tables: The rows of each meter.
        notes: What is not read, in lines for people.
    """

    tables: tuple[FileRows, ...]
    notes: tuple[str, ...]


def green_button_rows(
    label: str, readings: Sequence[MeterReading], columns: CsvColumns, options: FileOptions
) -> GreenButtonRows:
    """The rows of the meter readings that are of power or energy.

    Args:
        label: What to call the file in errors.
        readings: All of the file.
        columns: `value` names the flow to read.
        options: What else a person said.

    Raises:
        SourceError: None is of power or energy, or the flow is not there.
        NoRowsError: There is no value.
    """
    if not any(len(one.numbers) or one.bad_rows for one in readings):
        raise NoRowsError(f"{label}: Green Button without a value; give a file with readings")
    notes: list[str] = []
    known: list[MeterReading] = []
    for one in readings:
        refusal = _refusal(one.type)
        if refusal:
            notes.append(f"{label}: meter reading {_name(one)} is not read: {refusal}")
        elif len(one.numbers) or one.bad_rows:
            known.append(one)
    if not known:
        raise SourceError(f"{notes[0]}; expected Wh or W")
    uncertain: list[Uncertain] = []
    known = _of_one_quantity(label, known, options, notes, uncertain)
    known = chosen_flows(label, known, columns, options, notes, uncertain)
    tables: list[FileRows] = []
    for one, meter in zip(known, _meters(label, known), strict=True):
        unclear = [*uncertain] if not tables else []
        tables.append(_rows(label, one, meter, columns, options, unclear))
    return GreenButtonRows(tuple(tables), tuple(notes))


def _meters(label: str, readings: Sequence[MeterReading]) -> list[str]:
    """The meter of each: its usage point, with its own name where the point has several.

    Raises:
        SourceError: A name is none of a meter, or two are equal.
    """
    of_point = Counter(one.point for one in readings)
    meters = [
        one.point if of_point[one.point] == 1 else f"{one.point} {one.name}".strip()
        for one in readings
    ]
    of_name = Counter(meters)
    for meter in meters:
        if meter and not is_meter_name(meter):
            raise SourceError(
                f"{label}: {meter[:_SHOWN]!r} is no name of a meter; expected 1 to {LONGEST_NAME} "
                "printable characters; correct the title in the file"
            )
        if of_name[meter] > 1:
            raise SourceError(
                f"{label}: two meter readings have the name {meter!r}; give them titles that tell "
                "them apart, or keep one of them"
            )
    return meters


def _refusal(found: ReadingType) -> str:
    """Why values of this type cannot be read; empty if they can."""
    # Without a type nothing is known; --unit may say it.
    if found.unit and found.unit not in UNITS:
        return f"in {OTHER_UNITS.get(found.unit, f'the unit {found.unit}')}"
    if abs(found.power_of_ten) > MOST_POWER_OF_TEN:
        return f"in units of 10 to the power of {found.power_of_ten}"
    if found.flow not in FLOWS:
        return f"of the flow direction {found.flow}"
    is_power = UNITS.get(found.unit) is Unit.W
    if found.accumulation not in (ACCUMULATIONS_OF_POWER if is_power else QUANTITIES_OF_ENERGY):
        return f"of the accumulation behaviour {found.accumulation}"
    if is_power and found.qualifier not in MEAN_QUALIFIERS:
        return f"no mean power (data qualifier {found.qualifier})"
    return ""


def _name(one: MeterReading) -> str:
    return repr(f"{one.point} {one.name}".strip())


def _of_one_quantity(
    label: str,
    readings: list[MeterReading],
    options: FileOptions,
    notes: list[str],
    uncertain: list[Uncertain],
) -> list[MeterReading]:
    """Those of the quantity that a person named, or of the only one."""
    kinds = [one.type.quantity or options.quantity for one in readings]
    distinct = [kind for kind in dict.fromkeys(kinds) if kind is not None]
    if len(distinct) <= 1:
        return readings
    if options.quantity not in distinct:
        shown = " and ".join(distinct)
        uncertain.append(
            Uncertain(
                "quantity",
                f"--quantity {distinct[0]}",
                f"{label}: holds readings of {shown}; name those to read with --quantity, such as "
                f"--quantity {distinct[0]}",
            )
        )
    chosen = options.quantity if options.quantity in distinct else distinct[0]
    for one, kind in zip(readings, kinds, strict=True):
        if kind is not chosen:
            notes.append(f"{label}: meter reading {_name(one)} is not read: of another quantity")
    return [one for one, kind in zip(readings, kinds, strict=True) if kind is chosen]


def _rows(
    label: str,
    one: MeterReading,
    meter: str,
    columns: CsvColumns,
    options: FileOptions,
    uncertain: list[Uncertain],
) -> FileRows:
    flow = FLOWS[one.type.flow]
    quantity = one.type.quantity
    properties = [Property("format", "Green Button", Certainty.CERTAIN)]
    given = Certainty.GIVEN if columns.value else Certainty.CERTAIN
    option = ("--value-column", flow) if columns.value else ()
    properties.append(Property("flow", flow, given, option))
    starts = one.starts
    has_moments = not (one.durations > 0).any()
    is_register = (options.quantity or quantity) is Quantity.REGISTER
    if is_register and not has_moments:
        if options.stamp is None:
            uncertain.append(_moment_unclear(label))
        stamp = options.stamp or Stamp.END
        starts = starts + (one.durations if stamp is Stamp.END else 0)
        properties.append(Property("register shown at", stamp, Certainty.GIVEN, ("--stamp", stamp)))
    layout = Layout(
        label,
        Dialect("", 0, _NAMES, 1),
        TimeColumns((0,), given_form("epoch_s"), True, 2, True, False, 0, 0),
        None,
        (ValueColumn(1, flow),),
        ".",
        UNITS.get(one.type.unit),
        False,
        Stamp.START,
        tuple(properties),
        tuple(uncertain),
        quantity,
    )
    return FileRows(layout, _typed(one, meter, starts, has_moments or is_register))


def _moment_unclear(label: str) -> Uncertain:
    return Uncertain(
        "register shown at",
        "--stamp end",
        f"{label}: a register's values are of intervals; say whether it showed them at the start "
        "or the end, with --stamp start or --stamp end",
    )


def _typed(one: MeterReading, meter: str, starts: Ints, is_moment: bool) -> TypedRows:
    none = np.full(len(starts), np.datetime64("NaT"), dtype="datetime64[ns]")
    ends = np.where(one.durations > 0, _instants(one.starts + one.durations), none)
    return TypedRows(
        one.numbers.astype(np.int32),
        _instants(starts),
        np.ones(len(starts), dtype=np.bool_),
        one.values * 10.0**one.type.power_of_ten,
        np.zeros(len(starts), dtype=np.int32),
        (meter,),
        None if is_moment else none,
        None if is_moment else ends.astype("datetime64[ns]"),
        one.bad_rows,
        len(starts) + len(one.bad_rows),
        0,
        one.quality,
    )


def _instants(seconds: Ints) -> "np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]":
    return (seconds * _NS).astype("datetime64[ns]")
