"""All tariffs of a platform, and which of them a meter has.

Belongs here: the choice of a meter's tariff. Not here: reading them (`parsing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from usage_platform.core.tariffs.field_types import ALL_METERS
from usage_platform.core.tariffs.tariff import Tariff


@dataclass(frozen=True)
class TariffBook:
    """The tariffs.

    Attributes:
        tariffs: Of each kind (a currency, CO2) a meter is named by one at most, and one at most is
            for all other meters.
    """

    tariffs: tuple[Tariff, ...] = ()

    def money(self, meter: str) -> Tariff | None:
        """The tariff of a meter in a currency; None where no tariff is for it."""
        return _chosen([one for one in self.tariffs if not one.is_carbon], meter)

    def carbon(self, meter: str) -> Tariff | None:
        """The tariff of a meter in grams of CO2; None where no tariff is for it."""
        return _chosen([one for one in self.tariffs if one.is_carbon], meter)


def _chosen(tariffs: Sequence[Tariff], meter: str) -> Tariff | None:
    naming = [one for one in tariffs if one.meters != ALL_METERS and meter in one.meters]
    others = [one for one in tariffs if one.meters == ALL_METERS]
    return next(iter((*naming, *others)), None)
