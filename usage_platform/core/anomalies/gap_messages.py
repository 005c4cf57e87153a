"""Gaps as messages of the topic `episode`: published once, when a reading ends the gap.

Belongs here: which gaps are worth a message, and its content. Not here: where readings are missing
(`core.readings.gaps`), days that lack readings (`core.readings.quality`).
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.episode_messages import (
    EpisodeEvent,
    EpisodeStatus,
    episode_event,
)
from usage_platform.core.arrays import Ints
from usage_platform.core.meters import Meter
from usage_platform.core.readings.gaps import Gap, find_gaps

LEAST_MINUTES = 15
"""Shorter gaps, and those of one reading, are not published."""

_LONG_HOURS = 3


def reportable_gaps(instants: Ints, start: int, meter: Meter) -> list[Gap]:
    """The gaps that readings have ended and that are long enough for a message.

    Args:
        instants: n interval starts of a meter's readings, ns since 1970 UTC, ascending.
        start: Gaps that ended before this instant are left out, ns since 1970 UTC.
        meter: The meter.
    """
    first = max(int(np.searchsorted(instants, start)) - 1, 0)
    least = max(2, LEAST_MINUTES // meter.interval_minutes)
    found = find_gaps(instants[first:], meter.interval_minutes)
    return [gap for gap in found if gap.missing >= least]


def gap_events(gaps: Iterable[Gap], meter: Meter) -> list[EpisodeEvent]:
    """A message for each gap."""
    return [_gap_event(gap, meter) for gap in gaps]


def gap_name(gap: Gap) -> str:
    """The name of a gap's episode: the start of its first missing interval."""
    return f"{_utc(gap.start):%Y-%m-%dT%H:%MZ}"


def _gap_event(gap: Gap, meter: Meter) -> EpisodeEvent:
    hours = gap.missing * meter.interval_minutes / 60
    content = {
        "episode": gap_name(gap),
        "start": _utc(gap.start),
        "end": _utc(gap.end),
        "kind": "gap",
        "readings": 0,
        "excess_kwh": None,
        "severity": "low" if hours < _LONG_HOURS else "medium",
        "explanation": f"{gap.missing} readings are missing: nothing came for {hours:.1f} h",
    }
    return episode_event(content, EpisodeStatus.CLOSED, _utc(gap.end), meter)


def _utc(instant: int) -> pd.Timestamp:
    return pd.Timestamp(instant, tz="UTC")
