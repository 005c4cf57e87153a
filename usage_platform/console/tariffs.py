"""`usage-platform tariffs`: what the tariff file says."""

from rich.markup import escape
from rich.table import Table

from usage_platform.adapters.stores.tariffs import TariffStore
from usage_platform.console.screen import table
from usage_platform.core.tariffs.field_types import ALL_METERS
from usage_platform.core.tariffs.tariff import TariffVersion
from usage_platform.settings.settings import SettingsError


def listed(store: TariffStore) -> Table:
    """The tariffs of the file, a row a version.

    Raises:
        SettingsError: When there is no file.
        LakeError: In one line, when it has a mistake.
    """
    book = store.read()
    if book is None:
        raise SettingsError(f"{store.file}: no such file; docs/tariffs.md shows how to write one")
    title = escape(f"Tariffs of {store.file}")
    rows = table(title, "tariff", "unit", "valid from", "prices", "meters")
    for tariff in book.tariffs:
        meters = "all others" if tariff.meters == ALL_METERS else ", ".join(tariff.meters)
        for version in tariff.versions:
            cells = (tariff.name, tariff.unit, f"{version.valid_from}", _prices(version), meters)
            rows.add_row(*map(escape, cells))
    return rows


def _prices(version: TariffVersion) -> str:
    """The names of all that is charged."""
    charges = (*version.energy, *version.export, *version.standing, *version.demand, *version.taxes)
    return ", ".join(charge.name for charge in charges)
