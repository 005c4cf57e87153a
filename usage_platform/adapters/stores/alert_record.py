"""What each sink was told, in a file of the lake's `assets/`.

Belongs here: reading and writing it, whole. Not here: what is due by it (`core.alerts.alert`).
"""

import json

from pydantic import BaseModel, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.core.alerts.alert import AlertState, Standing


class Failing(BaseModel):
    """The alert that a sink does not take at the moment.

    Attributes:
        key: Its key.
        tries: How often it was tried.
        next_try: When it is tried again, seconds since 1970.
    """

    key: str
    tries: int
    next_try: float


class Record(BaseModel):
    """What is kept of one sink.

    Attributes:
        told: By `meter/episode`, that told last at the end: the last state, and how many times the
            episode was told from its beginning.
        failing: What is tried again, if anything is.
    """

    told: dict[str, tuple[AlertState, int]] = {}
    failing: Failing | None = None

    @property
    def standings(self) -> dict[str, Standing]:
        """What the sink was told of each episode."""
        return {name: Standing(state, times) for name, (state, times) in self.told.items()}


_RECORD = TypeAdapter(Record)


class AlertRecord:
    """The record of one sink."""

    def __init__(self, assets: LakeFiles, sink: str) -> None:
        self._assets = assets
        self._file = f"alerts/{sink}.json"

    def read(self) -> Record:
        """What is kept; nothing before the first alert.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        found = self._assets.read_json(self._file)
        try:
            return Record() if found is None else _RECORD.validate_python(found)
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(str(part) for part in first["loc"])
            raise self._assets.damaged(self._file, ValueError(f"{where}: {first['msg']}")) from None

    def write(self, standings: dict[str, Standing], failing: Failing | None) -> None:
        """Replace what is kept, all or nothing."""
        told = {name: (one.state.value, one.times) for name, one in standings.items()}
        kept = {"told": told, "failing": failing.model_dump() if failing else None}
        self._assets.write_text(self._file, json.dumps(kept))
