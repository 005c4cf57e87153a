"""Missing readings as messages of the topic `episode`: told once, when a reading ends the gap.

Belongs here: which gaps are worth a message. Not here: days that lack readings (`quality`).
"""

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.episode_messages import (
    EpisodeEvent,
    EpisodeStatus,
    episode_event,
)
from usage_platform.core.arrays import Ints
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_MINUTE

LEAST_MINUTES = 15
"""Shorter gaps, and those of one reading, are not told."""

_LONG_HOURS = 3


def gap_events(instants: Ints, start: int, meter: Meter) -> list[EpisodeEvent]:
    """The gaps that readings have ended.

    Args:
        instants: n interval starts of a meter's readings, ns since 1970 UTC, ascending.
        start: Gaps that ended before this instant are left out, ns since 1970 UTC.
        meter: The meter.
    """
    interval = meter.interval_minutes * NS_A_MINUTE
    first = max(int(np.searchsorted(instants, start)) - 1, 0)
    missing = np.diff(instants[first:]) // interval - 1
    least = max(2, LEAST_MINUTES // meter.interval_minutes)
    return [
        _gap(int(instants[first + at]) + interval, int(missing[at]), meter)
        for at in np.flatnonzero(missing >= least)
    ]


def _gap(begin: int, missing: int, meter: Meter) -> EpisodeEvent:
    start = pd.Timestamp(begin, tz="UTC")
    hours = missing * meter.interval_minutes / 60
    end = start + pd.Timedelta(hours=hours)
    said = {
        "episode": f"{start:%Y-%m-%dT%H:%MZ}",
        "start": start,
        "end": end,
        "kind": "gap",
        "readings": 0,
        "excess_kwh": None,
        "severity": "low" if hours < _LONG_HOURS else "medium",
        "explanation": f"{missing} readings are missing: nothing came for {hours:.1f} h",
    }
    return episode_event(said, EpisodeStatus.CLOSED, end, meter)
