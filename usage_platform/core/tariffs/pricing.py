"""The energy of a month at each price of a tariff.

Belongs here: imported and exported energy. Not here: hours (`hours`), demand (`demand`), the lines
of a bill (`bill`).

Tiers count the energy of a period since the beginning of the local month, in order of time, also
over a change of the tariff.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Ints
from usage_platform.core.tariffs.charges import EnergyPeriod
from usage_platform.core.tariffs.money import ENERGY_UNITS_A_KWH, kwh_of
from usage_platform.core.tariffs.pieces import Pieces
from usage_platform.core.tariffs.tariff import Tariff, TariffVersion
from usage_platform.core.tariffs.times import Times
from usage_platform.core.time.day_numbers import day_number

Held = npt.NDArray[np.bool_]
"""Shape (n,): which pieces lie in something."""


@dataclass(frozen=True, eq=False)
class PricedEnergy:
    """The energy of a month at one price.

    Attributes:
        version: The version of the tariff.
        name: The period, with its tier.
        price: Price of a kWh.
        is_export: Whether it is paid to the customer.
        energy: Shape (n,): of each piece, milliwatt-minutes.
    """

    version: TariffVersion
    name: str
    price: Decimal
    is_export: bool
    energy: Ints

    @property
    def total(self) -> int:
        """Milliwatt-minutes."""
        return int(self.energy.sum())

    @property
    def cost(self) -> Fraction:
        """Exact cost; negative where it is paid to the customer."""
        cost = kwh_of(self.total) * Fraction(self.price)
        return -cost if self.is_export else cost


def priced_energy(tariff: Tariff, pieces: Pieces) -> list[PricedEnergy]:
    """The energy of a month at each price, in the order of the file; also where it is 0.

    Args:
        tariff: The tariff.
        pieces: Those of one local month from its beginning on, for tiers to count from there.
    """
    return [*_imported(tariff, pieces), *_exported(tariff, pieces)]


def held_periods(
    tariff: Tariff, pieces: Pieces
) -> Iterator[tuple[TariffVersion, EnergyPeriod, Held]]:
    """Each period of imported energy that applies in some days, and which pieces lie in it."""
    version_of = _version_of(tariff, pieces)
    for number, version in enumerate(tariff.versions):
        own = version_of == number
        if own.any():
            for period, held in zip(version.energy, _shares(pieces, version.energy), strict=True):
                yield version, period, held & own


def is_priced(tariff: Tariff, pieces: Pieces) -> Held:
    """Which pieces are not before the tariff's first day."""
    return _version_of(tariff, pieces) >= 0


def _imported(tariff: Tariff, pieces: Pieces) -> Iterator[PricedEnergy]:
    parts = [
        (version, period, np.where(held, pieces.imported, 0))
        for version, period, held in held_periods(tariff, pieces)
    ]
    used: dict[str, Ints] = defaultdict(lambda: np.zeros(len(pieces.days), dtype=np.int64))
    for _, period, energy in parts:
        used[period.name] = used[period.name] + energy
    for version, period, energy in parts:
        yield from _steps(version, period, energy, used[period.name])


def _steps(
    version: TariffVersion, period: EnergyPeriod, energy: Ints, used: Ints
) -> Iterator[PricedEnergy]:
    """The energy of a period in each of its tiers; `used` is what they count, by piece."""
    after = np.cumsum(used)
    before = after - used
    lower = 0
    for number, step in enumerate(period.steps, start=1):
        upper = (
            np.iinfo(np.int64).max
            if step.up_to_kwh is None
            else int(step.up_to_kwh * ENERGY_UNITS_A_KWH)
        )
        within = np.clip(after, lower, upper) - np.clip(before, lower, upper)
        name = period.name if period.price is not None else f"{period.name}, tier {number}"
        yield PricedEnergy(version, name, step.price, False, np.where(energy > 0, within, 0))
        lower = upper


def _exported(tariff: Tariff, pieces: Pieces) -> Iterator[PricedEnergy]:
    version_of = _version_of(tariff, pieces)
    energy = pieces.exported
    for number, version in enumerate(tariff.versions):
        if not energy.any() or not (version_of == number).any():
            continue
        for period, held in zip(version.export, _shares(pieces, version.export), strict=True):
            own = np.where(held & (version_of == number), energy, 0)
            yield PricedEnergy(version, period.name, period.price, True, own)


def _shares(pieces: Pieces, periods: Sequence[Times]) -> list[Held]:
    """Which pieces lie in each of some periods, of which one may apply at all other times."""
    held = [pieces.held_by(period) for period in periods]
    restricted = [h for h, p in zip(held, periods, strict=True) if not p.is_always]
    rest = ~np.any(restricted, axis=0) if restricted else np.ones(len(pieces.days), dtype=np.bool_)
    return [rest if p.is_always else h for h, p in zip(held, periods, strict=True)]


def _version_of(tariff: Tariff, pieces: Pieces) -> Ints:
    """The number of the version of each piece; -1 before the first one."""
    firsts = [day_number(version.valid_from) for version in tariff.versions]
    return np.searchsorted(firsts, pieces.days, side="right") - 1
