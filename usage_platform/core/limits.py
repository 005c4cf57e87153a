"""The limits of what the platform accepts as a reading, from a file or as an event.

Belongs here: the fixed limits, those that a deployment can set, and their defaults. Not here: the
check of an event against them (`core.readings`), which variables set them (`settings`).
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd

MOST_KW = 1e8
"""No meter of a building comes near 100 GW, and up to there an hour's sum of whole milliwatts stays
exact; a larger value would overflow the sum and stop the stream for good."""

FUTURE_TOLERANCE = pd.Timedelta(minutes=5)
"""By so much the clock of a meter may be ahead of the broker's."""

MOST_EVENT_BYTES = 4_000
"""An event with the longest name in escapes takes 2,500 bytes."""

MOST_METERS = 10_000
OLDEST_DAY = date(2000, 1, 1)
"""Devices with an empty battery send times of 1970."""


@dataclass(frozen=True)
class EventLimits:
    """The limits of one deployment.

    Attributes:
        oldest_day: Events whose time is before this UTC day are rejected; 1970-01-01 or later.
        event_bytes: The largest size of an event's value.
        meters: The number of meters from which on events of new ones are rejected; without
            `allowed_meters`.
        allowed_meters: The only meters whose events are accepted; empty: every meter, up to
            `meters` of them.
    """

    oldest_day: date = OLDEST_DAY
    event_bytes: int = MOST_EVENT_BYTES
    meters: int = MOST_METERS
    allowed_meters: frozenset[str] = frozenset()
