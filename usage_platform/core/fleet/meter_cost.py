"""What a meter of the fleet costs: its last 30 days, and what its open episodes cost above expected.

Belongs here: the figures of a meter's cost, and the sums of all meters that they are made of. Not
here: what an hour costs (`core.tariffs.hours`), adding up hours (adapters).

The price of an anomaly is that of its hour: the hour's cost by its energy. Where `usage_cost` has
no such price (the hour is not computed yet, nothing was used in it, or energy was exported in it),
the meter's mean price of the 30 days takes its place, and the figure is an estimate.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class MeterCost:
    """What a meter costs, before taxes, standing and demand charges.

    Attributes:
        currency: As in ISO 4217; None where no tariff has priced an hour of the last 30 days, or
            tariffs in several currencies have.
        month: Cost of the priced hours of the last 30 days; NaN without one.
        month_hours: How many hours that are.
        at_stake: What the open episodes that used more than expected cost above the expected
            energy, 0 or more. Those that used less are not subtracted. NaN where it is not known.
        is_estimate: Whether some of it is at the meter's mean price.
    """

    currency: str | None
    month: float
    month_hours: int
    at_stake: float
    is_estimate: bool


NO_COST = MeterCost(None, math.nan, 0, math.nan, is_estimate=False)
