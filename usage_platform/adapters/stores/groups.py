"""The file of groups, which people write: `groups.yaml` in the lake's `assets/`.

Belongs here: reading it. Not here: its form and meaning (`core.fleet`).
"""

from collections.abc import Collection

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.plain_yaml import plain_yaml
from usage_platform.adapters.stores.written_text import written_text
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.fleet.groups_file import check_units, parse_groups
from usage_platform.core.meters import MeterRegistry

GROUPS_FILE = "groups.yaml"


class GroupsStore:
    """The groups of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def text(self) -> str:
        """The file as it is; empty where there is none.

        Raises:
            LakeError: When it is too long, is no UTF-8, or cannot be read.
        """
        return written_text(self._assets, GROUPS_FILE) or ""

    @property
    def place(self) -> str:
        """Where the file is, for errors."""
        return f"{self._assets.root}/{GROUPS_FILE}"


def groups_in(text: str, place: str, meters: Collection[str], registry: MeterRegistry) -> Groups:
    """The groups that a text describes.

    Args:
        text: YAML.
        place: Where it is from.
        meters: The names of all known meters.
        registry: Gives their units.

    Raises:
        LakeError: In one line that names the place, when something in the text is wrong.
    """
    try:
        groups = parse_groups(plain_yaml(text), meters)
        check_units(groups, {name: meter.unit for name, meter in registry.known.items()})
    except ValueError as error:
        raise LakeError(f"{place}: {error}") from None
    return groups
