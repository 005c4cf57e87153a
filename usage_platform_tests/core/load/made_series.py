"""Short power series for the tests of what people look at."""

import numpy as np
import pandas as pd

from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_MINUTE

HOURLY = Meter("m", "America/New_York", 60)


def local(text: str, meter: Meter = HOURLY) -> int:
    """The instant of a local wall-clock time, ns since 1970 UTC."""
    return pd.Timestamp(text, tz=meter.zone).value


def from_values(start: int, values: list[float], meter: Meter = HOURLY) -> PowerSeries:
    """Readings interval by interval from an instant on; NaN for one that is not there."""
    instants = start + meter.interval_minutes * NS_A_MINUTE * np.arange(len(values))
    given = np.array(values, dtype=np.float64)
    there = np.isfinite(given)
    return PowerSeries.unscored(meter, instants[there], given[there])


def days(first: str, count: int, of_hour, meter: Meter = HOURLY) -> PowerSeries:
    """Whole local days; `of_hour(timestamp)` gives each interval's power."""
    end = pd.Timestamp(first, tz=meter.zone) + pd.DateOffset(days=count)
    step = pd.Timedelta(minutes=meter.interval_minutes)
    times = pd.date_range(
        pd.Timestamp(first, tz=meter.zone), end, freq=step, inclusive="left", unit="ns"
    )
    return from_values(times[0].value, [float(of_hour(at)) for at in times], meter)
