"""When a broker received a message, as Kafka tells it: milliseconds that may be anything.

Belongs here: which of them are a time. Not here: that the broker writes them itself on topics that
the platform has set up (`adapters.kafka.topics`).

On a topic of another program the time is what a producer wrote: microseconds or nanoseconds where
milliseconds are expected, or -1 for none. What no time stamp of a table holds counts as 1970: an
event of it is rejected as one of the future, and beats no other.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

_LAST = pd.Timestamp("2200-01-01").value // 10**6


def broker_milliseconds(found: int) -> int:
    """The time of a message, ms since 1970 UTC: 0 where it can be none."""
    return found if 0 <= found < _LAST else 0


def broker_times(found: Sequence[int]) -> pd.Series:
    """The times of messages, n values in ms since 1970 UTC, as datetime64[ns, UTC]."""
    times = np.array([broker_milliseconds(one) for one in found], dtype="datetime64[ms]")
    return pd.Series(pd.DatetimeIndex(times.astype("datetime64[ns]"), tz="UTC"))
