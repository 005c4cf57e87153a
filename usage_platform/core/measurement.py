"""What the values of a meter measure: quantity, unit, stamp and sign.

Belongs here: those words, which options, settings and descriptions of meters share. Not here: what
is recognised from a file (`meter_files`), the description of a meter (`meter_descriptions`).
"""

from enum import StrEnum


class Quantity(StrEnum):
    """What a value measures."""

    POWER = "power"
    """The mean power over an interval."""
    ENERGY = "energy"
    """The energy of an interval."""
    REGISTER = "register"
    """What a counter of energy shows at a moment."""


class Unit(StrEnum):
    """The unit of values."""

    W = "W"
    KW = "kW"
    MW = "MW"
    WH = "Wh"
    KWH = "kWh"
    MWH = "MWh"

    @property
    def is_energy(self) -> bool:
        """Whether it is a unit of energy; else it is one of power."""
        return self.value.endswith("h")

    @property
    def kilos(self) -> float:
        """One of it in kW or kWh."""
        return {"W": 0.001, "k": 1.0, "M": 1000.0}[self.value[0]]

    def fits(self, quantity: Quantity) -> bool:
        """Whether values of a quantity can be in it."""
        return self.is_energy == (quantity is not Quantity.POWER)


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
