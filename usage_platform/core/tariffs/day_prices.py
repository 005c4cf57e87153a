"""The mean price of each hour of the local day.

Belongs here: prices by time of day over some days. Not here: prices of single hours (`hours`).
"""

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.pieces import pieces_of
from usage_platform.core.tariffs.pricing import held_periods
from usage_platform.core.tariffs.tariff import Tariff
from usage_platform.core.time.units import NS_A_MINUTE

_HOURS = 24
_MINUTES_AN_HOUR = 60


def price_by_local_hour(tariff: Tariff, meter: Meter, start: int, end: int) -> Floats | None:
    """The mean price of imported energy by hour of the wall clock.

    Args:
        tariff: The meter's tariff.
        meter: Gives the time zone and the interval.
        start: Start of the days, ns since 1970 UTC.
        end: Their end, exclusive.

    Returns:
        Shape (24,): price of a kWh before taxes, that of the first tier where there are tiers; time
        before the tariff's first day is left out. None where an hour has no price.
    """
    instants = np.arange(start, end, meter.interval_minutes * NS_A_MINUTE, dtype=np.int64)
    pieces = pieces_of(Series(instants, np.zeros(len(instants))), meter, tariff)
    hour = pieces.clock // _MINUTES_AN_HOUR
    sums, counts = np.zeros(_HOURS), np.zeros(_HOURS)
    for _, period, held in held_periods(tariff, pieces):
        count = np.bincount(hour[held], minlength=_HOURS)
        sums += count * float(period.steps[0].price)
        counts += count
    return sums / counts if counts.all() else None
