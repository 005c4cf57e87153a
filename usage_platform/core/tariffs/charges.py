"""Charges: what is billed for energy, export, demand and standing, and taxes on it.

Belongs here: the typed model of each charge, and the rules within one. Not here: versions and
tariffs (`tariff`), amounts (`pricing`, `demand`, `bill`).
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from usage_platform.core.tariffs.field_types import (
    Amount,
    Fields,
    Name,
    Number,
    Share,
    WindowMinutes,
)
from usage_platform.core.tariffs.times import Times


class ChargeKind(StrEnum):
    """The kinds of lines of a bill."""

    ENERGY = "energy"
    STANDING = "standing"
    DEMAND = "demand"
    EXPORT = "export"
    TAX = "tax"


class Tier(Fields):
    """A step of the energy of a month.

    Attributes:
        price: Price of a kWh in this step.
        up_to_kwh: Energy of the month and period up to which it applies; None for the last step.
    """

    price: Number
    up_to_kwh: Amount | None = None


class ExportPeriod(Times):
    """Local times with one price of exported energy.

    Attributes:
        name: Its name on the bill.
        price: What is paid for a kWh.
    """

    name: Name
    price: Number


class EnergyPeriod(Times):
    """Local times with one price of imported energy, or prices by tiers.

    Attributes:
        name: Its name on the bill.
        price: Price of a kWh; None where there are tiers.
        tiers: Steps of the month's energy within this period, the lowest first.
    """

    name: Name
    price: Number | None = None
    tiers: tuple[Tier, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.price is None) == (not self.tiers):
            raise ValueError("expected either price or tiers")
        limits = [tier.up_to_kwh for tier in self.tiers]
        if limits and (None in limits[:-1] or limits[-1] is not None):
            raise ValueError("tiers: expected up_to_kwh in each tier but the last one")
        if any(low >= high for low, high in pairwise(_known(limits))):
            raise ValueError("tiers: expected up_to_kwh to grow from tier to tier")
        return self

    @property
    def steps(self) -> tuple[Tier, ...]:
        """The tiers; one without a limit where there is a single price."""
        return self.tiers if self.price is None else (Tier(price=self.price),)


class Ratchet(Fields):
    """A lower limit of the billed demand from earlier months.

    Attributes:
        percent: Of the highest demand of the earlier months.
        months: How many months before the billed one count.
    """

    percent: Annotated[Number, Field(gt=0, le=100)]
    months: int = Field(ge=1, le=36)


class DemandCharge(Times):
    """A charge for the highest mean power of a month.

    Attributes:
        name: Its name on the bill.
        price: Price of a kW for a month.
        window_minutes: Over how many minutes the mean is taken; windows begin at the full local
            hour.
        ratchet: Lower limit from earlier months.
        minimum_kw: The least demand that is billed.
    """

    name: Name
    price: Amount
    window_minutes: WindowMinutes
    ratchet: Ratchet | None = None
    minimum_kw: Amount = Decimal(0)


class StandingCharge(Fields):
    """A charge that does not depend on the use.

    Attributes:
        name: Its name on the bill.
        price: Price of a day or of a month.
        per: Which of them; a month is shared out by days where only some of them count.
    """

    name: Name = "standing charge"
    price: Amount
    per: Literal["day", "month"]


class Tax(Fields):
    """A percentage of lines of the bill.

    Attributes:
        name: Its name on the bill.
        percent: Of the rounded amounts of these lines.
        on: Of which kinds of lines; a credit for export reduces the tax where it is one of them.
    """

    name: Name
    percent: Share
    on: tuple[Literal["energy", "standing", "demand", "export"], ...] = Field(
        default=("energy", "standing", "demand"), min_length=1
    )


def _known(limits: Sequence[Decimal | None]) -> list[Fraction]:
    return [Fraction(limit) for limit in limits if limit is not None]
