"""`usage-platform models`: which models there are, and which are in force."""

from rich.table import Table

from usage_platform.adapters.stores.models import ModelStore
from usage_platform.console.screen import table
from usage_platform.settings.settings import SettingsError


def listed(store: ModelStore) -> Table:
    """All models, the newest last."""
    heads = ("version", "method", "judges from", "readings", "slots", "in force")
    rows = table("Models", *heads, numbers=("readings", "slots"))
    promoted = set(store.promoted())
    for one in store.candidates():
        in_force = "yes" if one.version in promoted else "no"
        judges = f"{one.begin:%Y-%m-%d %H:%M}Z"
        counts = (f"{one.readings:,}", f"{one.slots_trained:,}")
        rows.add_row(one.version, one.method, judges, *counts, in_force)
    return rows


def change(store: ModelStore, promote: str | None) -> str:
    """Put a model in force, or the last one out of force; what was done, in words.

    Raises:
        SettingsError: When there is no such model, or none to go back to.
    """
    if promote is not None:
        try:
            store.promote([promote])
        except FileNotFoundError as error:
            raise SettingsError(f"{error}; 'usage-platform models' lists those there are") from None
        return f"model {promote} is in force"
    gone = store.take_back()
    if gone is None:
        raise SettingsError("models: there is no model in force before the one that judges now")
    return f"model {gone} is out of force; the one before it judges again"
