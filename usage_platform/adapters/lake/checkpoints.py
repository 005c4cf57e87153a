"""Checkpoints of the streams into the lake, and the topic that each belongs to, without a JVM.

Belongs here: the file beside Spark's checkpoint that names its topic, and the offsets in Spark's.
Not here: whether a checkpoint fits the topic (`services.topic_progress`), running a stream.

Spark stores offsets only. `checkpoint/<topic>.json` says of which topic (its id in Kafka) they are,
in which folder the current checkpoint is, and which deleted offsets a person gave up.
"""

import json
from dataclasses import asdict, dataclass, field

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.tables import Lake


@dataclass(frozen=True)
class Checkpoint:
    """The current checkpoint of a stream.

    Attributes:
        topic_id: The id of the topic that its offsets are of; empty in a lake of a former version.
        number: 1 for the stream's first checkpoint, one more for each that replaced it.
        accepted: By partition, the offset below which a person gave up what was not ingested.
    """

    topic_id: str = ""
    number: int = 1
    accepted: dict[int, int] = field(default_factory=dict)


class Checkpoints:
    """The checkpoints of one stream.

    Args:
        lake: The lake.
        topic: Topic of the stream, and name of its first checkpoint.
        own: The folder among the checkpoints, as for `Lake.checkpoint`.
    """

    def __init__(self, lake: Lake, topic: str, own: str = "") -> None:
        self._lake = lake
        self._topic = topic
        self._own = own
        self._files = LakeFiles(lake.checkpoint("", own).rstrip("/"))

    def current(self) -> Checkpoint:
        """The current checkpoint.

        Raises:
            LakeError: When its file is damaged or cannot be read.
        """
        name = f"{self._topic}.json"
        stored = self._files.read_json(name)
        if stored is None:
            return Checkpoint()
        try:
            accepted = {int(p): int(offset) for p, offset in stored["accepted"].items()}
            return Checkpoint(str(stored["topic_id"]), int(stored["number"]), accepted)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._files.damaged(name, error) from None

    def save(self, checkpoint: Checkpoint) -> None:
        """Make a checkpoint the current one, all or nothing."""
        self._files.write_text(f"{self._topic}.json", json.dumps(asdict(checkpoint), indent=1))

    def folder(self, checkpoint: Checkpoint) -> str:
        """The location of Spark's checkpoint."""
        return self._lake.checkpoint(self._name(checkpoint), self._own)

    def committed(self, checkpoint: Checkpoint) -> dict[int, int]:
        """By partition, one past the last offset that is in the lake; empty before a batch."""
        batches = self._batches(checkpoint, "commits")
        # A batch is in the lake once it is in `commits`; its offsets are in `offsets`.
        return self._offsets(checkpoint, max(batches)) if batches else {}

    def offsets_of_all(self) -> int:
        """The number of offsets that are in the lake, of all checkpoints that followed another."""
        every = range(1, self.current().number + 1)
        return sum(sum(self.committed(Checkpoint(number=one)).values()) for one in every)

    def planned(self, checkpoint: Checkpoint) -> dict[int, int]:
        """As `committed`, at the end of the last batch that Spark began."""
        batches = self._batches(checkpoint, "offsets")
        return self._offsets(checkpoint, max(batches)) if batches else {}

    def next_batch(self, checkpoint: Checkpoint) -> int:
        """The number of the first batch that is not in the lake."""
        return max(self._batches(checkpoint, "commits"), default=-1) + 1

    def _name(self, checkpoint: Checkpoint) -> str:
        first = checkpoint.number == 1
        return self._topic if first else f"{self._topic}-{checkpoint.number}"

    def _batches(self, checkpoint: Checkpoint, folder: str) -> list[int]:
        names = self._files.names(f"{self._name(checkpoint)}/{folder}")
        return [int(name) for name in names if name.isdigit()]

    def _offsets(self, checkpoint: Checkpoint, batch: int) -> dict[int, int]:
        text = self._files.read_text(f"{self._name(checkpoint)}/offsets/{batch}")
        if text is None:
            return {}
        # The third line is that of the first and only source.
        source = json.loads(text.splitlines()[2])
        return {int(partition): offset for partition, offset in source[self._topic].items()}
