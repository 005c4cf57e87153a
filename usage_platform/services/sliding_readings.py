"""The readings of the histories that one training reads week after week.

Belongs here: which of them a process still has. Not here: training on them (`train_bucket`).
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import uuid4

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.detector.model_draft import history_days
from usage_platform.core.detector.options import Method
from usage_platform.core.readings.series import ReadingHistory

KEPT_READINGS = 4_000_000
"""Readings that a process keeps, 64 MB: of 80 meters at 5 minutes and half a year each. A training
of many more reads each history again, as the buckets of a week come to a process in turn."""


@dataclass
class _Kept:
    """The readings of some meters, and the day that they end before."""

    history: ReadingHistory = field(default_factory=ReadingHistory)
    until: date | None = None


_kept: OrderedDict[tuple[str, tuple[str, ...]], _Kept] = OrderedDict()
"""By training and meters: what this process read last. A module's, as a process that shares the
work of a training gets another copy of `SlidingReadings` with each task."""


class SlidingReadings:
    """The readings of some meters before a day; a process reads only the days that it has not.

    The history of a week is that of the week before and seven days more. It can be pickled.
    """

    def __init__(self, reader: LakeReader, method: Method) -> None:
        """Begin a training.

        Args:
            reader: The lake's tables.
            method: Says how many days of history are used.
        """
        self._reader = reader
        self._reach = timedelta(days=history_days(method) + 1)
        self._training = uuid4().hex

    def until(self, until: date, names: Sequence[str]) -> ReadingHistory:
        """The readings of the history that ends before a local day; UTC days are read."""
        first = until - self._reach
        kept = self._take((self._training, tuple(names)))
        if kept.until is None or kept.until > until:
            kept.history, begin = ReadingHistory(), first
        else:
            begin = max(first, kept.until)
        columns = ["meter", "event_time", "value"]
        kept.history.add(self._reader.rows(READINGS, columns, begin, until, names))
        for name in kept.history.meters():
            kept.history.forget(name, pd.Timestamp(first, tz="UTC").value)
        kept.until = until
        return kept.history

    def _take(self, key: tuple[str, tuple[str, ...]]) -> _Kept:
        """What this process has of some meters; what it has not used for longest makes room."""
        for other in [other for other in _kept if other[0] != self._training]:
            del _kept[other]
        found = _kept.setdefault(key, _Kept())
        _kept.move_to_end(key)
        while len(_kept) > 1 and sum(kept.history.size for kept in _kept.values()) > KEPT_READINGS:
            _kept.popitem(last=False)
        return found
