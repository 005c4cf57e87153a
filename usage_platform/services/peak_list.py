"""The newest peak warning of a meter, for the page.

Belongs here: for how long what was read of the record is used. Not here: publishing warnings
(`peak_warnings`).
"""

import threading
from collections.abc import Callable
from typing import Any

from usage_platform.adapters.stores.peak_record import PeakRecord, PeakRecords

KEPT_SECONDS = 30.0
"""The record of ten thousand meters has some MB: it is not read for each request."""


class PeakList:
    """The warnings of all meters, as they were at most `KEPT_SECONDS` ago.

    Args:
        records: Where they are kept.
        clock: Gives seconds that only go on.
    """

    def __init__(self, records: PeakRecords, clock: Callable[[], float]) -> None:
        self._records = records
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._record = PeakRecord()

    def newest(self, meter: str) -> dict[str, Any] | None:
        """The last message on a meter's newest warning; None without one.

        Raises:
            LakeError: When the record is damaged or cannot be read.
        """
        with self._lock:
            if self._clock() - self._read_at >= KEPT_SECONDS:
                self._record = self._records.read()
                self._read_at = self._clock()
            return self._record.newest(meter)
