"""Gaps as messages of the topic `episode`: `silent` while a gap goes on, `gap` when it has ended.

Belongs here: which gaps are worth a message, and its content. Not here: where readings are missing
(`core.readings.gaps`), when a meter counts as silent (`silence`), days that lack readings
(`core.readings.quality`).

Both are messages on one episode, which is named by the first missing interval. The one that it has
opened depends on the clock; that it has ended is a function of the readings alone.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.episode_messages import (
    EpisodeEvent,
    EpisodeStatus,
    episode_event,
)
from usage_platform.core.anomalies.silence import Silence
from usage_platform.core.arrays import Ints
from usage_platform.core.meters import Meter
from usage_platform.core.readings.gaps import Gap, find_gaps
from usage_platform.core.time.units import NS_A_MINUTE

LEAST_MINUTES = 15
"""Shorter gaps, and those of one reading, are not published, unless they were as a silence."""

GAP, SILENT = "gap", "silent"
"""The kind of an episode of missing readings: after its end, and while it goes on."""

_LONG_HOURS = 3


def reportable_gaps(
    instants: Ints, start: int, meter: Meter, silent_from: int | None = None
) -> list[Gap]:
    """The gaps that readings have ended and that are long enough for a message.

    Args:
        instants: n interval starts of a meter's readings, ns since 1970 UTC, ascending.
        start: Gaps that ended before this instant are left out, ns since 1970 UTC.
        meter: The meter.
        silent_from: Start of the meter's last silence that was published; a gap that starts there
            is reported however short it is.
    """
    first = max(int(np.searchsorted(instants, start)) - 1, 0)
    least = max(2, LEAST_MINUTES // meter.interval_minutes)
    found = find_gaps(instants[first:], meter.interval_minutes)
    return [gap for gap in found if gap.missing >= least or gap.start == silent_from]


def gap_events(gaps: Iterable[Gap], meter: Meter) -> list[EpisodeEvent]:
    """A message for each gap."""
    return [_gap_event(gap, meter) for gap in gaps]


def gap_name(start: int) -> str:
    """The name of a gap's episode: the start of its first missing interval, ns since 1970 UTC."""
    return f"{_utc(start):%Y-%m-%dT%H:%MZ}"


def silent_event(silence: Silence, meter: Meter) -> EpisodeEvent:
    """The message that a meter has become silent.

    `at` and `end` are the end of the last interval that had to arrive before it counted as silent.
    """
    interval = meter.interval_minutes * NS_A_MINUTE
    overdue = _utc(silence.start + silence.limit // interval * interval)
    content = {
        "episode": gap_name(silence.start),
        "start": _utc(silence.start),
        "end": overdue,
        "kind": SILENT,
        "readings": 0,
        "excess_kwh": None,
        "severity": "medium",
        "explanation": (
            f"no reading has come for longer than the {_duration(silence.limit)} that are usual "
            "for this meter"
        ),
    }
    return episode_event(content, EpisodeStatus.OPENED, overdue, meter)


def _gap_event(gap: Gap, meter: Meter) -> EpisodeEvent:
    hours = gap.missing * meter.interval_minutes / 60
    content = {
        "episode": gap_name(gap.start),
        "start": _utc(gap.start),
        "end": _utc(gap.end),
        "kind": GAP,
        "readings": 0,
        "excess_kwh": None,
        "severity": "low" if hours < _LONG_HOURS else "medium",
        "explanation": f"{gap.missing} readings are missing: nothing came for {hours:.1f} h",
    }
    return episode_event(content, EpisodeStatus.CLOSED, _utc(gap.end), meter)


def _duration(span: int) -> str:
    minutes = round(span / NS_A_MINUTE)
    return f"{minutes} min" if minutes < 2 * 60 else f"{minutes / 60:.1f} h"


def _utc(instant: int) -> pd.Timestamp:
    return pd.Timestamp(instant, tz="UTC")
