"""The meters whose events are accepted, where their number is limited: one list for all readers.

Belongs here: the list, and adding names to it. Not here: checking events (`core.readings`).

The scorer and the micro-batch read the topic each at its own speed, and partitions in another
order. So that both accept the same meters, whichever of them meets a new name first adds it to the
list by compare-and-swap, while there is room. A name once on the list stays: events of meters that
it holds are accepted for good, those of others never while it is full.
"""

import json
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager

from pydantic import TypeAdapter, ValidationError

from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line
from usage_platform.adapters.lake.lease_store import FolderStore, LeaseStore, ObjectStore
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake
from usage_platform.core.meters import MeterRegistry

_NAME = "admitted"
_TRIES = 100


class AdmittedMeters:
    """The list of a lake; names that were read once are remembered.

    Args:
        lake: The lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._known: frozenset[str] = frozenset()

    def known(self, names: Sequence[str], registry: MeterRegistry) -> Collection[str]:
        """Those of some meters that are on the list (`core.readings.validation.Admit`).

        Raises:
            LakeError: When the list cannot be read.
        """
        del registry
        if not self._known.issuperset(names):
            with self._errors():
                self._known |= frozenset(self._listed(self._store().read()))
        return self._known.intersection(names)

    def admit(self, names: Sequence[str], registry: MeterRegistry) -> Collection[str]:
        """Those of some meters that are on the list, new ones added while there is room.

        Args:
            names: As for `core.readings.validation.Admit`.
            registry: The described meters, which count too, and the limit.

        Raises:
            LakeError: When the list cannot be read or written.
        """
        with self._errors():
            for _ in range(_TRIES):
                if self._known.issuperset(names) or self._add(names, registry):
                    return self._known.intersection(names)
        raise LakeError(
            f"{self._lake.meters}/{_NAME}.json: changed at each of {_TRIES} tries to add a meter; "
            "it is tried again"
        )

    def _add(self, names: Sequence[str], registry: MeterRegistry) -> bool:
        """Add names while there is room; returns False if the list changed meanwhile."""
        store = self._store()
        text = store.read()
        listed = self._listed(text)
        there = set(listed)
        # Groups are no meters that somebody sends: they take no room.
        described = {registry.default.name, *registry.known} - registry.groups
        room = max(registry.limits.meters - len((there - registry.groups) | described), 0)
        new = [name for name in names if name not in there][:room]
        if new and not store.replace(text, json.dumps([*listed, *new])):
            return False
        self._known |= there.union(new)
        return True

    def _errors(self) -> AbstractContextManager[None]:
        return lake_errors_in_one_line(f"{self._lake.meters}/{_NAME}.json")

    def _store(self) -> LeaseStore:
        root = self._lake.meters
        return ObjectStore(root, _NAME) if "://" in root else FolderStore(root, _NAME)

    def _listed(self, text: str | None) -> list[str]:
        """The names on the list; at its beginning the meters of a lake that had no list."""
        if text is None:
            reader = LakeReader(self._lake)
            if not reader.exists(USAGE_HOURLY):
                return []
            rows = reader.query_rows("SELECT DISTINCT meter FROM usage_hourly ORDER BY meter")
            return [str(row["meter"]) for row in rows]
        try:
            return TypeAdapter(list[str]).validate_json(text)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise LakeError(
                f"{self._lake.meters}/{_NAME}.json: damaged ({reason}); restore an intact copy, or "
                "remove it: it is made again from the table usage_hourly"
            ) from None
