"""The known meters: of sources, of the settings, with what people say of them, and groups.

Belongs here: putting these together. Not here: which goes before which
(`core.meter_descriptions.registry`), reading each of them (adapters).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles, load_meters
from usage_platform.adapters.stores.group_meters import GroupMeters
from usage_platform.adapters.stores.meters import MetersStore
from usage_platform.core.meter_descriptions.registry import described_default, with_descriptions
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.settings.settings import Settings


def known_meters(assets: LakeFiles, store: MetersStore, settings: Settings) -> MeterRegistry:
    """The known meters, and the limits of their events.

    Raises:
        LakeError: In one line, when the lake cannot be read, no descriptions of people apply
            (`MetersStore.applied`), or they contradict the settings.
    """
    of_sources = load_meters(assets, settings.default_meter)
    limited = replace(of_sources, limits=settings.event_limits)
    with _contradictions(store):
        described = with_descriptions(limited, store.applied().descriptions)
    return described.with_groups(GroupMeters(assets).read().values())


def default_meter(store: MetersStore, settings: Settings) -> Meter:
    """The meter of the settings, with what people say of it.

    Raises:
        LakeError: As for `known_meters`.
    """
    with _contradictions(store):
        return described_default(settings.default_meter, store.applied().descriptions)


@contextmanager
def _contradictions(store: MetersStore) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise LakeError(f"{store.place}: {error}") from None
