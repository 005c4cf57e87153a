"""What the values of a meter measure: quantity, unit, stamp and sign.

Belongs here: those words, which options, settings and descriptions of meters share. Not here: what
is recognised from a file (`meter_files`), the description of a meter (`meter_descriptions`).
"""

from collections.abc import Mapping
from enum import StrEnum


class Quantity(StrEnum):
    """What a value measures."""

    POWER = "power"
    """The mean power, or the mean flow, over an interval."""
    ENERGY = "energy"
    """The energy, or the volume, of an interval."""
    REGISTER = "register"
    """What a counter of energy or volume shows at a moment."""


class ReadingUnit(StrEnum):
    """The unit of a meter's readings: one for each commodity, on the topic and in the tables."""

    KW = "kW"
    M3_H = "m3/h"

    @property
    def amount(self) -> str:
        """The unit of what flows in an hour: kWh or m3."""
        return {"kW": "kWh", "m3/h": "m3"}[self.value]

    @property
    def event_units(self) -> Mapping[str, tuple[int, int]]:
        """The units that an event may name; its value is multiplied, then divided, by the two."""
        return _EVENT_UNITS[self]


_EVENT_UNITS: Mapping[ReadingUnit, Mapping[str, tuple[int, int]]] = {
    ReadingUnit.KW: {"kW": (1, 1), "W": (1, 1000), "MW": (1000, 1)},
    ReadingUnit.M3_H: {"m3/h": (1, 1), "l/h": (1, 1000)},
}


class Unit(StrEnum):
    """The unit of values."""

    W = "W"
    KW = "kW"
    MW = "MW"
    WH = "Wh"
    KWH = "kWh"
    MWH = "MWh"
    M3 = "m3"
    L = "l"
    M3_H = "m3/h"
    L_H = "l/h"

    @property
    def is_amount(self) -> bool:
        """Whether it is a unit of energy or volume; else it is one of power or flow."""
        return self.value in _AMOUNTS

    @property
    def is_volume(self) -> bool:
        """Whether it is a unit of volume or flow; else it is one of energy or power."""
        return self.value[0] in "ml"

    def fits(self, quantity: Quantity) -> bool:
        """Whether values of a quantity can be in it."""
        return self.is_amount == (quantity is not Quantity.POWER)

    def reading_unit(self, factor: float = 1.0) -> ReadingUnit:
        """The unit of the readings that become of values in it.

        Args:
            factor: By what they are multiplied; of a volume the kWh of one of it, and 1 if nothing
                is known of its energy.
        """
        is_volume = self.is_volume and factor == 1
        return ReadingUnit.M3_H if is_volume else ReadingUnit.KW

    def scale(self, factor: float = 1.0) -> float:
        """What a value of 1 is in kW or m3/h; of an amount in kWh or m3.

        Args:
            factor: As for `reading_unit`.
        """
        if self.is_volume and factor != 1:
            return factor
        return {"W": 0.001, "k": 1.0, "M": 1000.0, "m": 1.0, "l": 0.001}[self.value[0]] * factor


_AMOUNTS = {"Wh", "kWh", "MWh", "m3", "l"}
_WHOLE_FROM = 100


def few_digits(value: float, sign: str = "") -> str:
    """A flow or a volume for people: three digits, whole from 100 on; `sign` + shows each sign."""
    return f"{value:{sign},.3g}" if abs(value) < _WHOLE_FROM else f"{value:{sign},.0f}"


def units_that_fit(quantity: Quantity) -> str:
    """The units in which values of a quantity can be, for people."""
    *others, last = (unit.value for unit in Unit if unit.fits(quantity))
    return f"{', '.join(others)} or {last}"


class Stamp(StrEnum):
    """Which moment of its interval a row carries."""

    START = "start"
    END = "end"


class Sign(StrEnum):
    """What a value below 0 means."""

    CONSUMPTION = "consumption"
    """A fault: the meter counts consumption."""
    NET = "net"
    """Export: the meter counts consumption minus generation."""
