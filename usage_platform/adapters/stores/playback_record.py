"""How far each source was played, in a file of the lake's `assets/`.

Belongs here: reading and writing it, whole. Not here: what it means for the next run
(`services.playback_progress`).
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from usage_platform.adapters.lake.files import LakeFiles


@dataclass(frozen=True)
class PlaybackRecord:
    """How far a source was played.

    Attributes:
        version: Identifies the content that the source had.
        topic_id: The id of the topic that it was played to.
        offsets: By partition, the offset up to which the topic was read for its events.
        last: Each meter's newest played reading, ISO 8601 in UTC.
        digest: Of the readings that were played, as `core.readings.pacing.digest_until` gives it.
    """

    version: str
    topic_id: str
    offsets: dict[int, int]
    last: dict[str, str]
    digest: str


class PlaybackRecords:
    """The records of the sources of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def read(self, source: str) -> PlaybackRecord | None:
        """The record of a source; None before it was first played.

        Raises:
            LakeError: When it is damaged or cannot be read.
        """
        name = _file(source)
        stored = self._assets.read_json(name)
        if stored is None:
            return None
        try:
            offsets = {int(p): int(offset) for p, offset in stored.pop("offsets").items()}
            return PlaybackRecord(offsets=offsets, **stored)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._assets.damaged(name, error) from None

    def write(self, source: str, record: PlaybackRecord) -> None:
        """Replace the record of a source, all or nothing."""
        self._assets.write_text(_file(source), json.dumps(asdict(record)))


def _file(source: str) -> str:
    return f"playback/{hashlib.sha256(source.encode()).hexdigest()[:16]}.json"
