"""What a Green Button file (ESPI) holds: meter readings, their types and their values.

Belongs here: the types, and the codes of the standard (NAESB REQ.21 ESPI, `espiDerived.xsd`). Not
here: parsing XML (adapters), and which readings are read (`green_button`).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.measurement import Quantity, Unit
from usage_platform.core.readings.source import BadRow

MOST_POWER_OF_TEN = 12
"""The standard's multipliers go from pico to tera, but for one that no meter needs."""

UNITS = {72: Unit.WH, 38: Unit.W}
OTHER_UNITS = {
    5: "A", 29: "V", 31: "J", 33: "Hz", 42: "m³", 61: "VA", 63: "VAr", 65: "power factor",
    71: "VAh", 73: "VArh", 106: "Ah", 119: "ft³", 128: "gallons", 132: "Btu", 134: "litres",
    169: "therms",
}  # fmt: skip
QUANTITIES_OF_ENERGY = {
    0: None,
    1: Quantity.REGISTER,
    3: Quantity.REGISTER,
    4: Quantity.ENERGY,
    9: Quantity.REGISTER,
}
"""accumulationBehaviour of Wh: none, bulkQuantity, cumulative, deltaData, summation."""
ACCUMULATIONS_OF_POWER = (0, 4, 6, 12)
"""accumulationBehaviour of W: none, deltaData, indicating, instantaneous."""
MEAN_QUALIFIERS = (0, 2, 12)
"""dataQualifier none, average, normal; others are maxima, minima and the like."""


QUALITIES = {
    0: "valid", 7: "manually edited", 8: "estimated", 9: "estimated", 10: "questionable",
    11: "derived", 12: "projected", 13: "mixed", 14: "raw", 15: "normalized for weather",
    16: "other", 17: "validated", 18: "verified", 19: "revenue-quality",
}  # fmt: skip
"""quality of a ReadingQuality: 8 by a reference day, 9 by linear interpolation."""


class Flow(StrEnum):
    """Which way the energy goes (flowDirection)."""

    FORWARD = "forward"
    """From the grid to the customer."""
    REVERSE = "reverse"
    """From the customer to the grid."""
    NET = "net"
    """Forward minus reverse."""


FLOWS = {0: Flow.FORWARD, 1: Flow.FORWARD, 4: Flow.NET, 19: Flow.REVERSE}


@dataclass(frozen=True)
class ReadingType:
    """What the values of a meter reading are, in codes of the standard; 0: not said.

    Attributes:
        unit: uom.
        power_of_ten: powerOfTenMultiplier.
        flow: flowDirection.
        accumulation: accumulationBehaviour.
        qualifier: dataQualifier.
    """

    unit: int = 0
    power_of_ten: int = 0
    flow: int = 0
    accumulation: int = 0
    qualifier: int = 0

    @property
    def quantity(self) -> Quantity | None:
        """What the values measure; None where the type does not say."""
        if UNITS.get(self.unit) is Unit.W:
            return Quantity.POWER
        return QUANTITIES_OF_ENERGY.get(self.accumulation)


@dataclass(frozen=True, eq=False)
class MeterReading:
    """A series of values of one usage point; arrays of n.

    Attributes:
        point: The name of its usage point; empty where the file does not say.
        name: Its title, or the last part of its address.
        type: What its values are.
        numbers: int64, the positions of the values in the file, from 1.
        starts: int64, seconds since 1970 UTC.
        durations: int64, seconds.
        values: float64, as written.
        quality: object, str, their quality; empty without one.
        bad_rows: Values that could not be read.
    """

    point: str
    name: str
    type: ReadingType
    numbers: Ints
    starts: Ints
    durations: Ints
    values: Floats
    quality: npt.NDArray[np.object_]
    bad_rows: tuple[BadRow, ...]
