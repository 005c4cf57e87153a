"""`usage-platform models`: list, promote and roll back models."""

from rich.table import Table

from usage_platform.adapters.stores.models import ModelStore
from usage_platform.console.screen import table
from usage_platform.settings.settings import SettingsError


def listed(store: ModelStore) -> Table:
    """All models, newest last."""
    heads = ("version", "method", "scores from", "readings", "slots", "promoted")
    rows = table("Models", *heads, numbers=("readings", "slots"))
    promoted = set(store.promoted())
    for one in store.candidates():
        in_force = "yes" if one.version in promoted else "no"
        timeline = f"{one.begin:%Y-%m-%d %H:%M}Z"
        counts = (f"{one.readings:,}", f"{one.slots_trained:,}")
        rows.add_row(one.version, one.method, timeline, *counts, in_force)
    return rows


def change(store: ModelStore, promote: str | None) -> str:
    """Promote a model, or roll back the last promotion; returns a one-line confirmation.

    Raises:
        SettingsError: When the version does not exist, or there is no previous model.
    """
    if promote is not None:
        try:
            store.promote([promote])
        except FileNotFoundError as error:
            raise SettingsError(f"{error}; run 'usage-platform models' for the list") from None
        return f"model {promote} promoted"
    gone = store.take_back()
    if gone is None:
        raise SettingsError("models: cannot roll back: no previous model is promoted")
    return f"model {gone} rolled back; the previous model scores again"
