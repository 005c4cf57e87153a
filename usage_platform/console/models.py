"""`usage-platform models`: list, promote and roll back models, and print their sizes."""

from itertools import islice

from rich.table import Table

from usage_platform.adapters.stores.models import ModelStore
from usage_platform.console.screen import table
from usage_platform.core.detector.manifest import bytes_held
from usage_platform.settings.settings import SettingsError

_METERS = (1, 10, 100, 1_000)
_MEASURED = 16
_WEEKS_A_YEAR = 52


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


def sizes(store: ModelStore) -> Table:
    """What detectors take in memory and on disk, by number of meters.

    Memory is the mean of the first meters' detectors, disk that of all meters of the newest model
    that is promoted.

    Raises:
        SettingsError: When no model with a detector is promoted.
    """
    newest = next(iter(store.manifests()[::-1]), None)
    detectors = {} if newest is None else store.load(newest.version).detectors
    names = list(islice(detectors, _MEASURED))
    if newest is None or not names:
        raise SettingsError("models: none with a detector yet; train one first")
    held = sum(bytes_held(detectors[name]) for name in names) / len(names)
    disk = store.bytes_of(newest.version) / len(detectors)
    heads = ("meters", "detectors in memory", "a week's model on disk", "a year's models on disk")
    rows = table(f"By the size of model {newest.version}", *heads, numbers=heads)
    for count in _METERS:
        figures = (held, disk, _WEEKS_A_YEAR * disk)
        rows.add_row(f"{count:,}", *(f"{count * figure / 1e6:,.2f} MB" for figure in figures))
    return rows
