"""A tariff: what is charged for what, from which day on, and for which meters.

Belongs here: the typed model of tariffs and their versions, and the rules within one tariff. Not
here: single charges (`charges`), reading the file (adapters), its errors in one line (`parsing`).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from usage_platform.core.tariffs.charges import (
    DemandCharge,
    EnergyPeriod,
    ExportPeriod,
    StandingCharge,
    Tax,
)
from usage_platform.core.tariffs.field_types import (
    ALL_METERS,
    CARBON,
    Fields,
    MeterNames,
    Name,
    UnitName,
    ValidFrom,
)
from usage_platform.core.tariffs.money import PRICE_DECIMALS, rounded
from usage_platform.core.tariffs.times import DAY_NAMES, HOLIDAY, Times, every_local_time
from usage_platform.core.time.calendar import Calendar, calendar_named


class TariffVersion(Fields):
    """The prices of a tariff from a day on.

    Attributes:
        valid_from: The first local day.
        energy: Prices of imported energy. A period without seasons, days and hours applies when no
            other one does.
        export: Prices of exported energy, likewise; none: export is not paid.
        standing: Standing charges.
        demand: Demand charges.
        taxes: Taxes.
    """

    valid_from: ValidFrom
    energy: tuple[EnergyPeriod, ...] = Field(min_length=1)
    export: tuple[ExportPeriod, ...] = ()
    standing: tuple[StandingCharge, ...] = ()
    demand: tuple[DemandCharge, ...] = ()
    taxes: tuple[Tax, ...] = ()

    @property
    def periods(self) -> tuple[Times, ...]:
        """All that depends on the time of day."""
        return (*self.energy, *self.export, *self.demand)


class Tariff(Fields):
    """Prices over time for some meters.

    Attributes:
        name: Its name; no other tariff of the file has it.
        meters: Names of meters, or `ALL_METERS`: all that no other tariff of its kind names.
        unit: A currency (ISO 4217), or `CARBON`.
        decimals: Decimals of a line of the bill: 2 for cents, 0 for yen and grams.
        holidays: A country such as US or US-MA whose public holidays are `HOLIDAY`s; None for none.
        versions: Its prices, by `valid_from`.
    """

    name: Name
    meters: MeterNames
    unit: UnitName
    decimals: int = Field(default=2, ge=0, le=4)
    holidays: str | None = None
    versions: tuple[TariffVersion, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        days = [version.valid_from for version in self.versions]
        if any(one >= other for one, other in pairwise(days)):
            raise ValueError("versions: expected each valid_from to be later than the one before")
        names = Counter(self.meters if self.meters != ALL_METERS else ())
        if any(count > 1 for count in names.values()):
            raise ValueError("meters: expected each meter once")
        _ = self.calendar  # An unknown country.
        for version in self.versions:
            _check_version(version, self)
        return self

    @property
    def is_carbon(self) -> bool:
        """Whether it is in grams of CO2."""
        return self.unit == CARBON

    @property
    def calendar(self) -> Calendar:
        """Its public holidays."""
        return calendar_named(self.holidays)

    @property
    def longest_ratchet(self) -> int:
        """How many months before a billed one its demand charges need."""
        charges = [charge for version in self.versions for charge in version.demand]
        return max((c.ratchet.months for c in charges if c.ratchet is not None), default=0)


def flat_tariff(price: float, currency: str) -> Tariff:
    """One price at all times for all meters.

    Args:
        price: Price of a kWh; it counts as the decimal that it is written as.
        currency: As in ISO 4217.
    """
    exact = rounded(Fraction(str(price)), PRICE_DECIMALS)
    period = EnergyPeriod(name="energy", price=exact)
    version = TariffVersion(valid_from=date(1970, 1, 1), energy=(period,))
    return Tariff(name="flat price", meters=ALL_METERS, unit=currency, versions=(version,))


def _check_version(version: TariffVersion, tariff: Tariff) -> None:
    where = f"version {version.valid_from}"
    if tariff.is_carbon and (version.standing or version.demand or version.taxes):
        raise ValueError(f"{where}: expected only energy and export in a tariff in {CARBON}")
    for field in ("energy", "export", "standing", "demand", "taxes"):
        charges: Sequence[EnergyPeriod | StandingCharge | Tax] = getattr(version, field)
        twice = [name for name, n in Counter(charge.name for charge in charges).items() if n > 1]
        if twice:
            raise ValueError(f"{where}: {field}: expected each name once, got {twice[0]!r} again")
    if tariff.holidays is None and any(HOLIDAY in times.days for times in version.periods):
        raise ValueError(
            f"{where}: expected the field holidays of the tariff, such as US-MA, where days name "
            "holidays"
        )
    for field, periods in (("energy", version.energy), ("export", version.export)):
        if periods:
            _check_periods(periods, tariff.holidays is not None, f"{where}: {field}")


def _check_periods(
    periods: Sequence[EnergyPeriod] | Sequence[ExportPeriod], has_holidays: bool, where: str
) -> None:
    """Each local time has one price."""
    edges = {edge for period in periods for edge in period.edges}
    month_days, kinds, minutes = every_local_time(edges)
    if not has_holidays:
        possible = kinds != HOLIDAY
        month_days, kinds, minutes = month_days[possible], kinds[possible], minutes[possible]
    restricted = [period for period in periods if not period.is_always]
    held = [period.holds(month_days, kinds, minutes) for period in restricted]
    count = np.sum(held, axis=0, dtype=np.int64) if held else np.zeros(len(kinds), dtype=np.int64)
    rest = [period.name for period in periods if period.is_always]

    def shown(wrong: int) -> str:
        clock, day = int(minutes[wrong]), int(month_days[wrong])
        kind = DAY_NAMES[int(kinds[wrong])]
        return f"on {day // 100:02}-{day % 100:02}, {kind}, {clock // 60:02}:{clock % 60:02}"

    if len(rest) > 1:
        raise ValueError(f"{where}: expected one period for all other times, got {', '.join(rest)}")
    if (count > 1).any():
        wrong = int(np.argmax(count > 1))
        both = ", ".join(p.name for p, h in zip(restricted, held, strict=True) if h[wrong])
        raise ValueError(f"{where}: expected one price {shown(wrong)}; got {both}")
    if not rest and (count == 0).any():
        wrong = int(np.argmax(count == 0))
        raise ValueError(
            f"{where}: expected a price at all times, got none {shown(wrong)}; add a period "
            "without seasons, days and hours for all other times"
        )
