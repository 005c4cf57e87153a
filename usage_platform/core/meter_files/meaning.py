"""What the readings of a source say of themselves: stamp, and whether they are a register.

Belongs here: findings from all typed rows together. Not here: how far apart rows are (`row_steps`),
findings from names and texts (`layout`), and the conversion (`readings`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np

from usage_platform.core.arrays import Floats, Integers, Ints
from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.portions import portions
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

_MOST_FALLS = 0.02
_ENOUGH = 24


@dataclass(frozen=True, eq=False)
class Ordered:
    """Rows of all meters, by meter and instant, each (meter, instant) once; arrays of n.

    Attributes:
        meters: int32 or int64.
        instants: int64, ns since 1970 UTC, as stamped.
        values: float64, as written.
    """

    meters: Integers
    instants: Ints
    values: Floats

    @cached_property
    def gaps(self) -> Ints:
        """Time to the next row of the same meter in ns; 0 at a meter's last row."""
        gaps = np.zeros(len(self.meters), dtype=np.int64)
        np.subtract(self.instants[1:], self.instants[:-1], out=gaps[:-1])
        gaps[:-1][self.meters[1:] != self.meters[:-1]] = 0
        return gaps

    def of_each_meter(self) -> Iterator[tuple[int, slice]]:
        """Each meter that has rows, with their place."""
        ends = [*(np.flatnonzero(self.meters[1:] != self.meters[:-1]) + 1), len(self.meters)]
        for start, end in pairwise([0, *ends] if len(self.meters) else []):
            yield int(self.meters[start]), slice(int(start), int(end))


def stamp_of(
    label: str,
    local: tuple[int, int] | None,
    step: int,
    layouts: Sequence[Layout],
    ends_of_day: int,
    options: FileOptions,
) -> tuple[Stamp, list[Uncertain]]:
    """Which moment of its interval a row carries.

    The name of the column says it, or times written as 24:00. A file that begins one step after
    midnight and ends at midnight is probably stamped at the end: that is not certain.

    Args:
        label: What to call the files.
        local: The first and the last time on the wall clock, ns; None without a row.
        step: The usual step in ns; 0 where there is none.
        layouts: The layout of each file.
        ends_of_day: How many times are written as 24:00.
        options: What a person said.
    """
    if options.stamp is not None:
        return options.stamp, []
    named = {layout.stamp for layout in layouts}
    if len(named) == 1 and None not in named:
        return next(iter(stamp for stamp in named if stamp)), []
    if any(layout.has_interval_columns for layout in layouts) or local is None:
        return Stamp.START, []
    first, last = local
    begins_at_midnight = first % NS_A_DAY == 0
    if ends_of_day and not begins_at_midnight:
        return Stamp.END, []
    looks_like_end = step > 0 and first % NS_A_DAY == step and last % NS_A_DAY == 0
    if not ends_of_day and not (looks_like_end and last - first >= NS_A_DAY - step):
        return Stamp.START, []
    return Stamp.END, [
        Uncertain(
            "stamp",
            "--stamp end",
            f"{label}: its first time is {_clock(first)} and its last one midnight, as if it were "
            "stamped at the end of the interval; say so with --stamp end or --stamp start",
        )
    ]


def _clock(local: int) -> str:
    minutes = local % NS_A_DAY // NS_A_MINUTE
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def quantity_of(
    label: str, rows: Ordered, layouts: Sequence[Layout], options: FileOptions
) -> tuple[Quantity, list[Unit], list[Uncertain]]:
    """What the values measure, the unit of each file, and what a person must say.

    A unit of power means power. A unit of energy means the energy of each interval, unless the
    values hardly ever fall: then they are a register. What a file itself says goes before both.
    """
    given = [options.unit or layout.unit for layout in layouts]
    changes = _Changes.of(rows)
    rises = changes.rise
    looks = "; its values only rise, as those of a register" if rises else ""
    value = layouts[0].values[0].name
    by_files = {layout.quantity for layout in layouts}
    quantity = options.quantity or layouts[0].quantity
    if len(by_files) > 1 and options.quantity is None:
        return (
            quantity or Quantity.ENERGY,
            [unit or Unit.KWH for unit in given],
            [
                Uncertain(
                    "quantity",
                    "--quantity energy",
                    f"{label}: its parts differ in what their values are; say so with --quantity "
                    "energy or --quantity register, or play each kind by itself with --csv",
                )
            ],
        )
    if any(unit is None for unit in given):
        unit = Unit.KW if quantity in (None, Quantity.POWER) else Unit.KWH
        return (
            quantity or Quantity.POWER,
            [unit] * len(layouts),
            [
                Uncertain(
                    "unit",
                    "--quantity register --unit kWh" if rises else "--unit kW",
                    f"{label}: nothing says whether {value!r} is in kW or kWh{looks}; say so with "
                    "--unit kW or --unit kWh (and --quantity register for a counter)",
                )
            ],
        )
    units = [unit for unit in given if unit is not None]
    if len({unit.is_energy for unit in units}) > 1:
        return (
            Quantity.POWER,
            units,
            [
                Uncertain(
                    "unit",
                    "--csv",
                    f"{label}: some files are in kW and others in kWh; play each kind by itself "
                    "with --csv",
                )
            ],
        )
    is_energy = units[0].is_energy
    if quantity is not None:
        if is_energy == (quantity is not Quantity.POWER):
            return quantity, units, []
        kind = "kWh" if quantity is not Quantity.POWER else "kW"
        return (
            quantity,
            units,
            [
                Uncertain(
                    "unit",
                    f"--unit {kind}",
                    f"{label}: {quantity} cannot be in {units[0]}, which {value!r} says; name "
                    f"the unit with --unit, such as --unit {kind}",
                )
            ],
        )
    if not is_energy:
        return Quantity.POWER, units, []
    is_named = any(layout.is_register_name for layout in layouts)
    if rises and (is_named or changes.gaps >= _ENOUGH):
        return Quantity.REGISTER, units, []
    if not rises and not (is_named and changes.are_none):
        return Quantity.ENERGY, units, []
    return (
        Quantity.ENERGY,
        units,
        [
            Uncertain(
                "quantity",
                "--quantity register",
                f"{label}: {value!r} may be the energy of each interval or a register, and too few "
                "values tell; say so with --quantity energy or --quantity register",
            )
        ],
    )


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
