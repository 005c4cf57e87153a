"""What a meter of the fleet costs: its last 30 days, and what is above the expected energy.

Belongs here: the figures of a meter's cost. Not here: what an hour costs (`core.tariffs.hours`),
adding up hours (adapters).

The price of an anomaly is that of its hour: the hour's cost by its energy. Where `usage_cost` has
no such price (the hour is not computed yet, nothing was used in it, or energy was exported in it),
the meter's mean price of the 30 days takes its place, and the figure is an estimate.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Stake:
    """What a meter has used above the expected energy, as an amount.

    Attributes:
        amount: 0 or more; NaN where it is not known.
        is_estimate: Whether some of it is at the meter's mean price.
    """

    amount: float
    is_estimate: bool


@dataclass(frozen=True)
class MeterCost:
    """What a meter costs, before taxes, standing and demand charges.

    Attributes:
        currency: As in ISO 4217; None where no tariff has priced an hour of the last 30 days, or
            tariffs in several currencies have.
        month: Cost of the priced hours of the last 30 days; NaN without one.
        month_hours: How many hours that are.
        mean_price: Mean price of a kWh in the hours in which energy was taken and none exported;
            NaN without one.
        episodes: What the open episodes that used more than expected cost above the expected
            energy. Those that used less are not subtracted.
    """

    currency: str | None
    month: float
    month_hours: int
    mean_price: float
    episodes: Stake

    def at_stake(self, deviation_kwh: float) -> Stake:
        """The cost of the open episodes or of all of the last 7 days, whichever is more.

        Args:
            deviation_kwh: Energy of the last 7 days above the expected one; NaN where nothing is
                expected.

        Returns:
            UNKNOWN without a tariff, and where no episode costs anything and the cost of the 7 days
            is not known, which is no 0.
        """
        if self.currency is None:
            return UNKNOWN
        # At or below the expected energy nothing is at stake, whatever the price.
        week = 0.0 if deviation_kwh <= 0 else deviation_kwh * self.mean_price
        if math.isnan(week) and self.episodes.amount == 0:
            return UNKNOWN
        if math.isnan(self.episodes.amount) or not week > self.episodes.amount:
            return self.episodes
        return Stake(week, is_estimate=True)


UNKNOWN = Stake(math.nan, is_estimate=False)
NO_COST = MeterCost(None, math.nan, 0, math.nan, UNKNOWN)
