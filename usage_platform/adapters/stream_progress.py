"""How far the streams into the lake are, by Spark's own checkpoints.

Belongs here: reading a checkpoint, without a JVM. Not here: writing one; only Spark does.
"""

import json
from collections.abc import Mapping

from usage_platform.adapters.kafka_topics import KafkaSettings, end_offsets
from usage_platform.adapters.lake_files import LakeFiles
from usage_platform.adapters.lake_tables import Lake


def committed_offsets(lake: Lake, topic: str) -> dict[int, int]:
    """The offsets that a stream has in the lake, by partition; empty before its first batch.

    Args:
        lake: The lake.
        topic: The stream's topic, which is its checkpoint's name too.
    """
    files = LakeFiles(lake.checkpoint(topic))
    batches = [int(name) for name in files.names("commits") if name.isdigit()]
    if not batches:
        return {}
    # A batch is in the lake once it is in `commits`; its offsets stand in `offsets`, the third
    # line being the first (and only) source's.
    text = files.read_text(f"offsets/{max(batches)}")
    if text is None:
        return {}
    source = json.loads(text.splitlines()[2])
    return {int(partition): offset for partition, offset in source[topic].items()}


def ingestion_lag(lake: Lake, kafka: KafkaSettings, topic: str) -> int:
    """Events on a topic that are not in the lake yet.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    return backlog(end_offsets(kafka, topic), committed_offsets(lake, topic))


def backlog(ends: Mapping[int, tuple[int, int]], done: Mapping[int, int]) -> int:
    """How many offsets lie between what was done and the ends.

    Args:
        ends: First offset and end of each partition.
        done: End of what was done in each; a partition that is missing starts at its first offset.
    """
    return sum(high - max(done.get(partition, low), low) for partition, (low, high) in ends.items())
