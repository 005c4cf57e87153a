"""One meter's power over time with what was expected of it, and where it lies on the local clock.

Belongs here: the values that all of `core.power` looks at. Not here: where readings come from
(adapters), what is expected of them (`core.detector`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE


@dataclass(frozen=True, eq=False)
class PowerSeries:
    """One meter's readings.

    Attributes:
        meter: The meter.
        instants: int64, shape (n,): interval starts, ns since 1970 UTC, ascending, each once.
        values: float64, shape (n,): mean power over the interval, kW.
        expected: float64, shape (n,): kW; NaN while there is too little history.
        low: float64, shape (n,): the lower end of what is ordinary, kW; NaN likewise.
        high: float64, shape (n,): its upper end.
    """

    meter: Meter
    instants: Ints
    values: Floats
    expected: Floats
    low: Floats
    high: Floats

    @classmethod
    def unscored(cls, meter: Meter, instants: Ints, values: Floats) -> "PowerSeries":
        """Readings of which nothing was expected."""
        unknown = np.full(len(instants), np.nan)
        return cls(meter, instants, values, unknown, unknown, unknown)

    def __len__(self) -> int:
        """How many readings."""
        return len(self.instants)

    def between(self, start: int, end: int) -> "PowerSeries":
        """The part from one instant to before another, ns since 1970 UTC."""
        first, last = np.searchsorted(self.instants, [start, end])
        part = slice(int(first), int(last))
        return PowerSeries(
            self.meter,
            self.instants[part],
            self.values[part],
            self.expected[part],
            self.low[part],
            self.high[part],
        )

    @property
    def interval_ns(self) -> int:
        """Length of an interval, ns."""
        return self.meter.interval_minutes * NS_A_MINUTE

    @property
    def hours(self) -> float:
        """Length of an interval, hours."""
        return self.meter.interval_minutes / 60

    @cached_property
    def _wall(self) -> Ints:
        index = pd.DatetimeIndex(self.instants).tz_localize("UTC").tz_convert(self.meter.zone)
        return index.tz_localize(None).as_unit("ns").asi8

    @property
    def local_day(self) -> Ints:
        """Shape (n,): the local day of each reading, in days since 1970-01-01."""
        return self._wall // NS_A_DAY

    @property
    def local_minute(self) -> Ints:
        """Shape (n,): minutes on the wall clock since the local midnight, 0 to 1439."""
        return self._wall % NS_A_DAY // NS_A_MINUTE
