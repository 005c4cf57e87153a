"""What a new peak would cost: by how much it raises the month's demand charges.

Belongs here: the difference of two bills. Not here: how high the peak is expected to be
(`core.forecast`).
"""

from decimal import Decimal

import numpy as np

from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.bill import bill_of_month
from usage_platform.core.tariffs.charges import ChargeKind
from usage_platform.core.tariffs.demand import WindowTooShortError
from usage_platform.core.tariffs.money import rounded
from usage_platform.core.tariffs.tariff import Tariff


def has_demand_charge(tariff: Tariff) -> bool:
    """Whether a version of a tariff charges for the highest power of a month."""
    return any(version.demand for version in tariff.versions)


def cost_of_peak(
    tariff: Tariff, meter: Meter, month: Month, known: Series, coming: Series
) -> Decimal | None:
    """By how much readings to come raise the month's demand charges, before taxes.

    A ratchet or a minimum that is higher than both makes it 0; a ratchet's effect on later months
    is not counted.

    Args:
        tariff: The meter's tariff.
        meter: The meter.
        month: The local month.
        known: The readings from `bill.readings_from` on that are there.
        coming: Those of the rest of the month, or of a part of it.

    Returns:
        None where the readings cannot show a demand.
    """
    both = Series(
        np.concatenate([known.instants, coming.instants]),
        np.concatenate([known.values, coming.values]),
    )
    end = month.bounds(meter)[1]
    try:
        without, with_them = (
            bill_of_month(tariff, meter, month, one, end).exact(ChargeKind.DEMAND)
            for one in (known, both)
        )
    except WindowTooShortError:
        return None
    return rounded(with_them - without, tariff.decimals)
