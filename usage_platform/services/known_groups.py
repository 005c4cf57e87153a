"""The groups of a text, checked against the meters that there are.

Belongs here: which meters are known. Not here: the form of the text (`core.fleet.groups_file`),
sums (`fleet`).
"""

from datetime import timedelta

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.adapters.stores.groups import groups_in
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.fleet.meter_row import MONTH_HOURS
from usage_platform.core.meters import MeterRegistry


def known_groups(
    text: str,
    place: str,
    reader: LakeReader,
    registry: MeterRegistry,
    days: int = MONTH_HOURS // 24,
) -> Groups:
    """The groups that a text describes.

    Args:
        text: YAML.
        place: Where it is from, for errors.
        reader: The lake's tables.
        registry: The described meters; those with hours in the lake's last days are known too,
            groups that have hours of their own are not.
        days: How many days those are.

    Raises:
        LakeError: In one line, when something in the text is wrong or the lake cannot be read.
    """
    files = reader.day_files(USAGE_HOURLY).files
    meters = set(registry.known)
    if files:
        newest = max(files)
        first = newest - timedelta(days=days)
        meters.update(reader.meters(USAGE_HOURLY, first, newest))
    return groups_in(text, place, meters - registry.groups, registry)
