"""How far the streams are: into the lake by Spark's own checkpoints, scoring by its group.

Belongs here: reading progress, without a JVM. Not here: writing it; only Spark and the scorer do.
"""

import json
from collections.abc import Mapping

from confluent_kafka import Consumer

from usage_platform.adapters.kafka_topics import (
    SCORER_GROUP,
    USAGE,
    KafkaSettings,
    end_offsets,
    partitions_of,
)
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


def scoring_lag(kafka: KafkaSettings) -> int:
    """Events on `usage` that no scorer has committed yet.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    client = Consumer(
        kafka.client(
            **{
                "group.id": SCORER_GROUP,
                "enable.auto.commit": False,
                # What is committed by now: the offsets in the open transaction of a scorer that
                # was killed would be waited for until it times out.
                "isolation.level": "read_uncommitted",
            }
        )
    )
    try:
        lag = 0
        partitions = partitions_of(client, kafka, USAGE)
        for partition in client.committed(partitions, timeout=10) if partitions else []:
            low, high = client.get_watermark_offsets(partition, timeout=10)
            lag += high - max(partition.offset, low)
        return lag
    finally:
        client.close()


def backlog(ends: Mapping[int, tuple[int, int]], done: Mapping[int, int]) -> int:
    """How many offsets lie between what was done and the ends.

    Args:
        ends: First offset and end of each partition.
        done: End of what was done in each; a partition that is missing starts at its first offset.
    """
    return sum(
        max(high - max(done.get(partition, low), low), 0) for partition, (low, high) in ends.items()
    )
