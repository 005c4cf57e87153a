"""Gaps: missing readings in a row. The one rule for the page, the report and the messages.

Belongs here: where readings are missing. Not here: which gaps are worth a message
(`core.anomalies.gap_messages`), days that lack readings (`quality`).
"""

from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Ints
from usage_platform.core.time.units import NS_A_MINUTE


@dataclass(frozen=True)
class Gap:
    """Missing readings in a row.

    Attributes:
        start: Start of the first missing interval, ns since 1970 UTC.
        end: End of the last missing interval, exclusive, ns since 1970 UTC.
        missing: Number of missing intervals, 1 or more.
    """

    start: int
    end: int
    missing: int


def find_gaps(instants: Ints, interval_minutes: int, since: int | None = None) -> list[Gap]:
    """The gaps up to the last reading; what follows it may still arrive.

    Args:
        instants: int64, shape (n,): interval starts, ns since 1970 UTC, ascending, each once.
        interval_minutes: Length of an interval.
        since: Start of the first interval of which a reading is expected, ns since 1970 UTC;
            earlier readings are left out. Default: the first reading's.

    Returns:
        In order of time; none without a reading.
    """
    interval = interval_minutes * NS_A_MINUTE
    if since is not None:
        instants = instants[np.searchsorted(instants, since) :]
    missing = np.diff(instants) // interval - 1
    gaps = [
        _gap(int(instants[at]) + interval, int(missing[at]), interval)
        for at in np.flatnonzero(missing > 0)
    ]
    if since is not None and len(instants) and instants[0] >= since + interval:
        gaps.insert(0, _gap(since, int(instants[0] - since) // interval, interval))
    return gaps


def _gap(start: int, missing: int, interval: int) -> Gap:
    return Gap(start, start + missing * interval, missing)
