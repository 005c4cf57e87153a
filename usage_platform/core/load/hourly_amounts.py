"""What flowed in each hour: the energy of a meter of power, the volume of another one.

Belongs here: the amount of a row of `usage_hourly`, which has an energy for meters of power only.
Not here: sums over days and months (`seasons`, `years`).
"""

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats
from usage_platform.core.meters import Meter

AMOUNT_COLUMNS = ("energy_kwh", "avg_usage", "n")
"""The columns of `usage_hourly` from which an amount is known."""


def hourly_amounts(hours: pd.DataFrame, meter: Meter) -> Floats:
    """The amount of the readings of each hour that are there, shape (n,): kWh, or m3 of a volume.

    Args:
        hours: n rows with `AMOUNT_COLUMNS`, of one meter.
        meter: Gives the unit and the interval.
    """
    if meter.is_power:
        return hours["energy_kwh"].to_numpy(np.float64)
    means, counts = hours["avg_usage"].to_numpy(np.float64), hours["n"].to_numpy(np.float64)
    return means * counts * (meter.interval_minutes / 60)
