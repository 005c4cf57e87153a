"""What waits to be ingested, and waiting until something does.

Belongs here: when the ingestion has work, for a tick that waits for it. Not here: progress
(`progress`, `topic_progress`), the ingestion itself (`continuous_ingest`).
"""

import threading
import time

from usage_platform.adapters.kafka.arrivals import message_arrives
from usage_platform.adapters.kafka.topics import ANOMALY, USAGE, KafkaSettings
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.processes.ending import ENDING
from usage_platform.services.progress import backlog
from usage_platform.services.topic_progress import topic_progress

_TOPICS = (USAGE, ANOMALY)


def awaited_backlog(
    lake: Lake, kafka: KafkaSettings, seconds: float, ending: threading.Event = ENDING
) -> dict[str, int]:
    """How many offsets of each topic are not in the lake yet, as soon as there are some.

    Nothing is missed between looking and waiting: the wait begins at the ends that were seen.

    Args:
        lake: The lake.
        kafka: The brokers.
        seconds: For how long to wait at most, with the looks.
        ending: Ends the wait when it is set.

    Returns:
        By topic, `usage` and `anomaly`; 0 for each where nothing came.

    Raises:
        EventsDeletedError: When Kafka deleted some of them, so that ingestion has stopped.
        KafkaUnreachableError: When no broker answers a look; the wait outlasts it.
        LakeError: When a checkpoint cannot be read.
    """
    deadline = time.monotonic() + seconds
    waiting, ends = _look(lake, kafka)
    if not any(waiting.values()):
        left = deadline - time.monotonic()
        if left > 0 and message_arrives(kafka, ends, left, ending):
            waiting, _ = _look(lake, kafka)
    return waiting


def _look(lake: Lake, kafka: KafkaSettings) -> tuple[dict[str, int], dict[str, dict[int, int]]]:
    """What waits on each topic, and the end of each partition."""
    waiting: dict[str, int] = {}
    ends: dict[str, dict[int, int]] = {}
    for topic in _TOPICS:
        progress = topic_progress(lake, kafka, topic)
        progress.check_complete(topic)
        waiting[topic] = backlog(progress.ends, progress.done)
        ends[topic] = {partition: end for partition, (_, end) in progress.ends.items()}
    return waiting, ends
