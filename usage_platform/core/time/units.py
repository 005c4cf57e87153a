"""Units of time: instants and durations as whole nanoseconds.

Instants are counted from 1970-01-01 00:00 UTC.
"""

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Ints

NS_A_MILLISECOND = 10**6
NS_A_MINUTE = 60 * 10**9
NS_AN_HOUR = 60 * NS_A_MINUTE
NS_A_DAY = 24 * NS_AN_HOUR


def instants_of(ts: pd.Series) -> Ints:
    """Instants (datetime64 of any unit, with a zone) as ns since 1970 UTC."""
    return ts.to_numpy("datetime64[ns]").astype(np.int64)
