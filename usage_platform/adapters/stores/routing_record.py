"""What is kept of routing alerts, in the file `alerts/routes.json` of the lake's `assets/`.

Belongs here: pending escalations, and the decisions on the messages that were routed last. Not
here: what is due by them (`core.alerts.escalations`), what waits for a target (`alert_record`).

Once the file exists, alerts are routed, also when the file of routes is removed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

from pydantic import BaseModel, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.core.alerts.escalations import Escalation

_FOLDER, _FILE, _WEEKLY = "alerts", "routes.json", "weekly.json"

Decided = tuple[str, tuple[str, ...]]
"""The name of the route that takes a message, empty for none, and those of the targets."""


class Routed(BaseModel):
    """What is kept.

    Attributes:
        escalations: The pending ones by key.
        topic: The id of the topic that the decisions are of.
        decisions: Those on the messages that were routed last, by `partition:offset`. A message
            that is routed again after a crash goes to the same targets, whatever the time.
    """

    escalations: dict[str, Escalation] = {}
    topic: str = ""
    decisions: dict[str, Decided] = {}


_ROUTED = TypeAdapter(Routed)


class RoutingRecord:
    """The record of one lake's routing."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    @property
    def exists(self) -> bool:
        """Whether alerts of this lake were ever routed."""
        return self._assets.exists(f"{_FOLDER}/{_FILE}")

    def read(self) -> Routed:
        """What is kept; nothing before the first turn.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        found = self._assets.read_json(f"{_FOLDER}/{_FILE}")
        try:
            return Routed() if found is None else _ROUTED.validate_python(found)
        except ValidationError as error:
            raise self._assets.damaged(f"{_FOLDER}/{_FILE}", error) from None

    def write(
        self, escalations: Mapping[str, Escalation], topic: str, decisions: Mapping[str, Decided]
    ) -> None:
        """Replace what is kept, all or nothing."""
        kept = {
            "escalations": {key: asdict(one) for key, one in escalations.items()},
            "topic": topic,
            "decisions": dict(decisions),
        }
        self._assets.write_text(f"{_FOLDER}/{_FILE}", json.dumps(kept))

    def recorded_targets(self) -> list[str]:
        """The names of all sinks and targets with a record, also of removed ones."""
        names = [name for name in self._assets.names(_FOLDER) if name.endswith(".json")]
        return [name.removesuffix(".json") for name in names if name not in (_FILE, _WEEKLY)]
