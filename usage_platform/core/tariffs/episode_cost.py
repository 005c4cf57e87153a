"""What an episode of anomalies costs and emits.

Belongs here: the excess energy at the price of its hours, and the demand charge that it has set.
Not here: which readings are anomalous (`core.anomalies`).
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.bill import Bill, bill_of_month
from usage_platform.core.tariffs.charges import ChargeKind
from usage_platform.core.tariffs.hours import months_between
from usage_platform.core.tariffs.money import MILLIWATTS_A_KW, kwh_of, rounded
from usage_platform.core.tariffs.pieces import pieces_of
from usage_platform.core.tariffs.tariff import Tariff


@dataclass(frozen=True)
class EpisodeCost:
    """What an episode costs, before taxes; negative where less was used than expected.

    Attributes:
        unit: The currency, or gCO2.
        energy: Its excess energy at the prices of its hours.
        demand: The part of the months' demand charges that it has set.
        excess_kwh: Its energy above what was expected.
        unexpected: Readings without an expected value, which are left out.
    """

    unit: str
    energy: Decimal
    demand: Decimal
    excess_kwh: Decimal
    unexpected: int

    @property
    def total(self) -> Decimal:
        """Energy and demand."""
        return self.energy + self.demand


def cost_of_episode(
    tariff: Tariff, meter: Meter, series: Series, anomalous: Ints, expected: Floats
) -> EpisodeCost:
    """The bill of its months, less that with the expected power in place of the anomalous one.

    Without tiers and export the energy is exactly excess kWh times the price of each hour; with
    tiers the excess is what was used last. A ratchet's effect on later months is not counted.

    Args:
        tariff: The meter's tariff.
        meter: The meter.
        series: Its readings, from `bill.readings_from` the first month on to the end of the last.
        anomalous: Shape (n,): the interval starts of the anomalous readings, ns since 1970 UTC.
        expected: Shape (n,): what was expected of them, kW; NaN where nothing was.

    Raises:
        WindowTooShortError: In one line, where the readings cannot show a demand.
    """
    known = ~np.isnan(expected) & np.isin(anomalous, series.instants)
    at = np.searchsorted(series.instants, anomalous[known])
    values = series.values.copy()
    values[at] = expected[known]
    ordinary = Series(series.instants, values)
    touched = pieces_of(Series(anomalous[known], expected[known]), meter, tariff)
    energy = demand = Fraction(0)
    for month in months_between(touched.days):
        end = month.bounds(meter)[1]
        real, usual = (bill_of_month(tariff, meter, month, one, end) for one in (series, ordinary))
        energy += _energy(real) - _energy(usual)
        demand += real.exact(ChargeKind.DEMAND) - usual.exact(ChargeKind.DEMAND)
    excess = _milliwatts(series.values[at]) - _milliwatts(expected[known])
    return EpisodeCost(
        tariff.unit,
        rounded(energy, tariff.decimals),
        rounded(demand, tariff.decimals),
        rounded(kwh_of(excess * meter.interval_minutes), 3),
        int((~known).sum()),
    )


def _energy(bill: Bill) -> Fraction:
    return bill.exact(ChargeKind.ENERGY, ChargeKind.EXPORT)


def _milliwatts(powers: Floats) -> int:
    """The sum of powers, each rounded as bills round it."""
    return int(np.rint(powers * MILLIWATTS_A_KW).astype(np.int64).sum())
