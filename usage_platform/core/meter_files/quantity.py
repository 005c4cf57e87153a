"""What the values of a source measure, and in which units.

Belongs here: power, energy or register, by units, names and how values change. Not here: step and
stamp (`meaning`), the names of units (`units`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from usage_platform.core.measurement import Quantity, Unit
from usage_platform.core.meter_files import units as names
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.meaning import Ordered
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.portions import portions

_MOST_FALLS = 0.02
_ENOUGH = 24


def quantity_of(
    label: str, rows: Ordered, layouts: Sequence[Layout], options: FileOptions
) -> tuple[Quantity, list[Unit], list[Uncertain]]:
    """What the values measure, the unit of each file, and what a person must say.

    A unit of power or flow means power. One of an amount means that of each interval, unless the
    values hardly ever fall: then they are a register. What a file itself says goes before both.
    """
    given = [options.unit or layout.unit for layout in layouts]
    changes = _Changes.of(rows)
    rises = changes.rise
    value = layouts[0].values[0].name
    by_files = {layout.quantity for layout in layouts}
    quantity = options.quantity or layouts[0].quantity
    if len(by_files) > 1 and options.quantity is None:
        known = [unit or Unit.KWH for unit in given]
        return quantity or Quantity.ENERGY, known, [_parts_differ(label)]
    if any(unit is None for unit in given):
        unit, unclear = _unknown_unit(label, value, quantity, rises, layouts)
        usual = Quantity.ENERGY if unit.is_amount else Quantity.POWER
        return quantity or usual, [unit] * len(layouts), unclear
    units = [unit for unit in given if unit is not None]
    read = {(unit.is_amount, unit.reading_unit(options.factor)) for unit in units}
    if len(read) > 1:
        return Quantity.POWER, units, [_units_differ(label, units)]
    if quantity is not None:
        fits = units[0].fits(quantity)
        return quantity, units, [] if fits else [_unit_misfits(label, value, quantity, units[0])]
    if not units[0].is_amount:
        return Quantity.POWER, units, []
    is_named = any(layout.is_register_name for layout in layouts)
    if rises and (is_named or changes.gaps >= _ENOUGH):
        return Quantity.REGISTER, units, []
    if not rises and not (is_named and changes.are_none):
        return Quantity.ENERGY, units, []
    return Quantity.ENERGY, units, [_energy_or_register(label, value)]


def _parts_differ(label: str) -> Uncertain:
    return Uncertain(
        "quantity",
        "--quantity energy",
        f"{label}: its parts differ in what their values are; say so with --quantity energy or "
        "--quantity register, or play each kind by itself with --csv",
    )


def _units_differ(label: str, units: Sequence[Unit]) -> Uncertain:
    shown = list(dict.fromkeys(units))
    return Uncertain(
        "unit",
        "--csv",
        f"{label}: some files are in {shown[0]} and others in {shown[-1]}; play each kind by "
        "itself with --csv",
    )


def _unit_misfits(label: str, value: str, quantity: Quantity, unit: Unit) -> Uncertain:
    usual = _USUAL[unit.is_volume]
    kind = usual[0] if quantity is not Quantity.POWER else usual[1]
    return Uncertain(
        "unit",
        f"--unit {kind}",
        f"{label}: {quantity} cannot be in {unit}, which {value!r} says; name the unit with "
        f"--unit, such as --unit {kind}",
    )


def _energy_or_register(label: str, value: str) -> Uncertain:
    return Uncertain(
        "quantity",
        "--quantity register",
        f"{label}: {value!r} may be the energy of each interval or a register, and too few values "
        "tell; say so with --quantity energy or --quantity register",
    )


_USUAL = {False: (Unit.KWH, Unit.KW), True: (Unit.M3, Unit.M3_H)}
"""The usual units of amounts and of what flows, by whether they are of a volume."""


def _unknown_unit(
    label: str, value: str, quantity: Quantity | None, rises: bool, layouts: Sequence[Layout]
) -> tuple[Unit, list[Uncertain]]:
    """The unit to go on with where nothing says it, and what a person must say."""
    is_volume = names.is_volume_name(value)
    amount, flow = _USUAL[is_volume]
    is_flow = quantity is Quantity.POWER or (quantity is None and not is_volume)
    unit = flow if is_flow else amount
    if any(one.name == "unit" for layout in layouts for one in layout.uncertain):
        return unit, []
    if quantity is not None:
        reason = f"nothing says the unit of {value!r}; name it with --unit, such as --unit {unit}"
        return unit, [Uncertain("unit", f"--unit {unit}", f"{label}: {reason}")]
    looks = "; its values only rise, as those of a register" if rises else ""
    first, other = (amount, Unit.L) if is_volume else (flow, amount)
    return unit, [
        Uncertain(
            "unit",
            f"--quantity register --unit {amount}" if rises else f"--unit {first}",
            f"{label}: nothing says whether {value!r} is in {first} or {other}{looks}; say so with "
            f"--unit {first} or --unit {other} (and --quantity register for a counter)",
        )
    ]


@dataclass(frozen=True)
class _Changes:
    """How values change from row to row.

    Attributes:
        gaps: How many rows have a next one of their meter, later than they.
        known: How many of these changes are numbers.
        rises: How many are above 0.
        falls: How many are below 0.
    """

    gaps: int
    known: int
    rises: int
    falls: int

    @classmethod
    def of(cls, rows: Ordered) -> Self:
        counts = np.zeros(4, dtype=np.int64)
        for part in portions(max(len(rows.values) - 1, 0)):
            is_gap = rows.gaps[part] > 0
            changes = np.diff(rows.values[part.start : part.stop + 1])[is_gap]
            changes = changes[np.isfinite(changes)]
            counts += is_gap.sum(), len(changes), (changes > 0).sum(), (changes < 0).sum()
        return cls(*counts.tolist())

    @property
    def rise(self) -> bool:
        """Whether the values rise and hardly ever fall."""
        return self.rises > 0 and self.falls <= _MOST_FALLS * self.known

    @property
    def are_none(self) -> bool:
        return not self.rises and not self.falls
