"""What is expected of all meters, hour by hour, by the newest model.

Belongs here: which model, and keeping its hours. Not here: the expected values
(`core.detector.week_profile`), comparing them with readings (`adapters.lake.fleet_sums`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.adapters.lake.fleet_sums import HourlyPower
from usage_platform.core.detector.manifest import Manifest
from usage_platform.core.detector.week_profile import WeekProfile

AHEAD_DAYS = 8
"""Days after the present ones for which hours are kept: a model is replaced after a week."""

_A_DAY = timedelta(days=1)

Profiles = Callable[[str], Iterator[tuple[str, WeekProfile | None]]]
"""Gives the meters of a model's version with what is expected of them."""


class ExpectedHours:
    """The mean expected power of each meter and hour, about 4 KB a meter.

    Args:
        manifests: Gives the promoted models.
        profiles: Gives what a model expects.
    """

    def __init__(self, manifests: Callable[[], Sequence[Manifest]], profiles: Profiles) -> None:
        self._manifests = manifests
        self._profiles = profiles
        self._first = date.min
        self._last = date.min
        self._names: list[str] = []
        self._kw: npt.NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self.version = ""
        """The model in use; empty without one."""

    def follow(self, first: date, last: date) -> None:
        """Use the newest model that scores readings of some UTC days, the last one inclusive.

        Raises:
            LakeError: When the models cannot be read.
        """
        end = pd.Timestamp(last + _A_DAY, tz="UTC")
        usable = [one for one in self._manifests() if one.begin < end]
        version = usable[-1].version if usable else ""
        if version == self.version and self._first <= first and last <= self._last:
            return
        self.version, self._first, self._last = version, first, last + AHEAD_DAYS * _A_DAY
        rows: list[npt.NDArray[np.float32]] = []
        self._names = []
        start, count = pd.Timestamp(first, tz="UTC").value, 24 * self._days
        for name, profile in self._profiles(version) if version else ():
            if profile is not None:
                self._names.append(name)
                rows.append(profile.hours(start, count).astype(np.float32))
        self._kw = np.array(rows, dtype=np.float32).reshape(len(rows), count)

    @property
    def meters(self) -> frozenset[str]:
        """The meters of which something is expected."""
        return frozenset(self._names)

    def between(self, first: date, last: date) -> HourlyPower:
        """The hours of some UTC days that are followed, the last one inclusive."""
        begin = 24 * (first - self._first).days
        end = 24 * ((last - self._first).days + 1)
        start = pd.Timestamp(first, tz="UTC").value
        return HourlyPower(self._names, start, self._kw[:, begin:end])

    @property
    def _days(self) -> int:
        return (self._last - self._first).days + 1
