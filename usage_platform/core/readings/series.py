"""The recent readings of each meter in memory: what a scorer looks back at.

Belongs here: merging readings as they come, the later one winning. Not here: where they come from
(adapters), what they say (`detector`).
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.readings.shared_instants import shared_instants
from usage_platform.core.time.units import instants_of


@dataclass(frozen=True, eq=False)
class Series:
    """One meter's readings.

    Attributes:
        instants: int64, shape (n,): interval starts, ns since 1970 UTC, ascending, each once.
        values: float64, shape (n,): kW.
    """

    instants: Ints
    values: Floats

    def since(self, instant: int) -> "Series":
        """The part from an instant on."""
        at = int(np.searchsorted(self.instants, instant))
        return Series(self.instants[at:], self.values[at:])

    def until(self, instant: int) -> "Series":
        """The part before an instant."""
        at = int(np.searchsorted(self.instants, instant))
        return Series(self.instants[:at], self.values[:at])

    def with_earlier(self, readings: pd.DataFrame) -> "Series":
        """This series and readings (event_time, value) that are none of its instants."""
        if readings.empty:
            return self
        instants = instants_of(readings.loc[:, "event_time"])
        return _merged(_last_wins(instants, readings["value"].to_numpy(float)), self)


NO_READINGS = Series(np.empty(0, dtype=np.int64), np.empty(0))


@dataclass
class ReadingHistory:
    """Readings by meter; a function of what was added last for each meter and interval."""

    _series: dict[str, Series] = field(default_factory=dict[str, Series])

    def of(self, meter: str) -> Series:
        """A meter's readings; none for one that has sent none."""
        return self._series.get(meter, NO_READINGS)

    def newest(self, meter: str) -> int | None:
        """A meter's newest reading, ns since 1970 UTC; None for one that has sent none."""
        instants = self.of(meter).instants
        return int(instants[-1]) if len(instants) else None

    @property
    def size(self) -> int:
        """The number of readings of all meters together."""
        return sum(len(series.values) for series in self._series.values())

    def meters(self) -> list[str]:
        """The names of the meters that have readings, sorted."""
        return sorted(self._series)

    def add(self, readings: pd.DataFrame) -> dict[str, int]:
        """Add readings; one of the same meter and interval is replaced.

        Args:
            readings: meter, event_time (datetime64[ns, UTC]), value (kW); the last one of a meter
                and interval wins.

        Returns:
            For each meter the earliest instant at which something is another than before, ns since
            1970 UTC; a meter without such is left out.
        """
        changed: dict[str, int] = {}
        if readings.empty:
            return changed
        instants = instants_of(readings.loc[:, "event_time"])
        values = readings["value"].to_numpy(float)
        # By hand, as a group of pandas takes longer than to add a reading.
        codes, meters = pd.factorize(readings["meter"], sort=True)
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(1, len(meters)))
        for meter, place in zip(meters, np.split(order, ends), strict=True):
            first = self.add_of(str(meter), instants[place], values[place])
            if first is not None:
                changed[str(meter)] = first
        return changed

    def add_of(self, meter: str, instants: Ints, values: Floats) -> int | None:
        """Add readings of one meter, as `add` does.

        Args:
            meter: The meter's name.
            instants: int64, shape (n,): interval starts, ns since 1970 UTC, any order.
            values: float64, shape (n,): kW; the last one of an interval wins.

        Returns:
            The earliest instant at which something is another than before; None if nothing is.
        """
        new, old = _last_wins(instants, values), self.of(meter)
        first = _first_difference(old, new)
        if first is not None:
            self._series[meter] = _merged(old, new)
        return first

    def add_earlier(self, meter: str, readings: pd.DataFrame) -> None:
        """Add a meter's readings (event_time, value) of before those that are held."""
        self._series[meter] = self.of(meter).with_earlier(readings)

    def forget(self, meter: str, before: int) -> None:
        """Discard a meter's readings before an instant."""
        self._series[meter] = self.of(meter).since(before)


def _last_wins(instants: Ints, values: Floats) -> Series:
    order = np.argsort(instants, kind="stable")
    instants, values = instants[order], values[order]
    last = np.append(instants[1:] != instants[:-1], True)
    return Series(shared_instants(instants[last]), values[last])


def _first_difference(old: Series, new: Series) -> int | None:
    at = np.searchsorted(old.instants, new.instants)
    inside = np.minimum(at, max(len(old.instants) - 1, 0))
    known = np.zeros(len(new.instants), dtype=np.bool_)
    if len(old.instants):
        known = (old.instants[inside] == new.instants) & (old.values[inside] == new.values)
    return None if known.all() else int(new.instants[~known][0])


def _merged(old: Series, new: Series) -> Series:
    if not len(new.instants):
        return old
    instants = np.concatenate([old.instants, new.instants])
    values = np.concatenate([old.values, new.values])
    if len(old.instants) and new.instants[0] <= old.instants[-1]:
        return _last_wins(instants, values)
    return Series(shared_instants(instants), values)
