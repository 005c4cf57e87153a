"""When the scorer reports silence, and up to when it knows of all events.

Belongs here: the clock of silence. Not here: which meters are silent (`core.anomalies.silence`),
publishing that (`score`).
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class SilenceRule:
    """When a meter counts as silent.

    Attributes:
        least: A shorter pause is never silence.
        played_to: Gives each meter's last reading of the source that the platform plays, ns since
            1970 UTC; called only if a meter may be silent.
        clock: Gives the current time, seconds since 1970.
    """

    least: pd.Timedelta
    played_to: Callable[[], Mapping[str, int]]
    clock: Callable[[], float] = time.time


def consumed_until(now: float, waiting: Collection[int], appended: Mapping[int, int]) -> int | None:
    """Up to when all events were consumed that the broker had.

    A scorer that is behind does not take for silent a meter whose events wait.

    Args:
        now: The current time, taken before the ends of the topic were read, seconds since 1970.
        waiting: The partitions in which events wait.
        appended: By partition, when its last consumed event was appended, ns since 1970 UTC.

    Returns:
        ns since 1970 UTC: now, where nothing waits; else the earliest time of the partitions in
        which something does. None if nothing of one of these was consumed yet.
    """
    times = [appended[partition] for partition in waiting if partition in appended]
    if len(times) < len(waiting):
        return None
    return min([int(now * 1e9), *times])
