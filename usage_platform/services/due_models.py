"""Which weekly models the readings allow and that are not trained yet."""

from datetime import date

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.schedule import due
from usage_platform.services.train import reading_days


def due_models(reader: LakeReader, models: ModelStore, zone: str) -> list[date]:
    """The ends of the histories of the models that can be trained and are not yet.

    Args:
        reader: The lake's tables.
        models: The trained models.
        zone: IANA name of the zone in which these ends are days.

    Returns:
        Local days that the histories end before, ascending.
    """
    days = reading_days(reader, zone)
    return [] if days is None else due(*days, models.newest_end(zone))
