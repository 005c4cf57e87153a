"""Which rows are of which version of a meter's description.

Belongs here: the days from which on another version holds, and whose the row of their midnight is.
Not here: what a version says (`core.meter_descriptions`), reading its rows (`readings`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Integers
from usage_platform.core.measurement import Quantity, Stamp
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.readings.source import SourceError
from usage_platform.core.time.local_time import local_day_bounds

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class VersionChange:
    """The day from which on another version holds.

    Attributes:
        day: The local day.
        before: The stamp of the version before.
        after: The stamp of the new version.
    """

    day: date
    before: Stamp | None
    after: Stamp | None

    @classmethod
    def between(cls, day: date, before: FileOptions, after: FileOptions) -> Self:
        """The change from one version to the next; a register has no stamp of its own."""
        stamps = [
            other.stamp if one.quantity is Quantity.REGISTER else one.stamp
            for one, other in ((before, after), (after, before))
        ]
        return cls(day, *stamps)

    def is_after(self, file: FileRows, at: Integers, meters: Integers, timezone: str) -> Flags:
        """Which rows are of the new version; the others are of the version before.

        Args:
            file: The file.
            at: Positions of rows in it, in its order.
            meters: The meter of each as a number from 0 on.
            timezone: The meter's IANA zone, in which the version's first day begins.

        Raises:
            SourceError: In one line, for a row that can be of either version or of none.
        """
        times, is_instant = file.rows.times[at], file.rows.is_instant[at]
        instant = local_day_bounds(self.day, timezone)[0].tz_localize(None).to_datetime64()
        midnight = np.where(is_instant, instant, np.datetime64(self.day, "ns"))
        on_midnight = times == midnight
        found = times > midnight
        if not on_midnight.any() or (self.before is Stamp.END and self.after is Stamp.END):
            return found
        if self.before is not Stamp.END and self.after is Stamp.END:
            raise SourceError(
                f"{self._where(file, at[on_midnight])}, up to which its rows are stamped at the "
                "start and from which on at the end, so that no row may have it; correct the day "
                "of that version in assets/meters.yaml, or leave out the row"
            )
        if self.before is not Stamp.END:
            return found | on_midnight
        for meter in np.unique(meters[on_midnight]):
            own = np.flatnonzero(meters == meter)
            found[own] = self._after_end_stamps(file, at[own], times[own], midnight[own])
        return found

    def _after_end_stamps(
        self,
        file: FileRows,
        at: Integers,
        times: npt.NDArray[np.datetime64],
        midnight: npt.NDArray[np.datetime64],
    ) -> Flags:
        """Which rows of one meter follow a change from end to start stamps.

        The last interval of the old version and the first of the new one both carry the midnight:
        the earlier row is of the old version. One row alone is of the version of the file's others.
        """
        found = times > midnight
        here = np.flatnonzero(times == midnight)
        if len(here) == 2:
            newest_first = times[0] > times[-1]
            found[here[0 if newest_first else 1]] = True
            return found
        follows, precedes = bool(found.any()), bool((times < midnight).any())
        if len(here) > 2 or follows == precedes:
            count = "it once" if len(here) == 1 else f"it {len(here)} times"
            raise SourceError(
                f"{self._where(file, at[here])}, up to which its rows are stamped at the end and "
                "from which on at the start; expected two rows, the last interval before it and "
                f"the first one after it, got {count}; leave out a row of which it is not known"
            )
        found[here] = follows
        return found

    def _where(self, file: FileRows, at: Integers) -> str:
        number = file.rows.numbers[at[0]]
        return f"{file.layout.label}:{number}: has the midnight of {self.day}"
