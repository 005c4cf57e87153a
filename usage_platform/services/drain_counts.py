"""How much a run of a stream read, however many batches it had.

Belongs here: counting from Spark's reports of progress and from the offsets. Not here: the run
(`ingest`).
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any


def events_and_batches(
    reports: Sequence[Any], topic: str, begin: Mapping[int, int], first_batch: int
) -> tuple[int, int]:
    """The events that a run read, and its batches with events.

    Spark keeps the reports of the last hundred batches only. What the forgotten ones read is the
    distance between the offsets at which the run began and those of the oldest report.

    Args:
        reports: Spark's reports of the run's last batches, oldest first (`recentProgress`).
        topic: The topic.
        begin: By partition, the offset at which the run began; 0 where one is missing.
        first_batch: The number of the run's first batch.
    """
    sources = [report["sources"][0] for report in reports]
    with_rows = [source for source in sources if source["numInputRows"]]
    events = sum(source["numInputRows"] for source in with_rows)
    forgotten = reports[0]["batchId"] - first_batch if reports else 0
    if forgotten <= 0:
        return events, len(with_rows)
    reached = offsets_of(sources[0]["startOffset"], topic)
    before = sum(end - begin.get(int(partition), 0) for partition, end in reached.items())
    return events + before, len(with_rows) + forgotten


def offsets_of(text: str, topic: str) -> dict[str, int]:
    """Offsets by partition, as a Python literal (Spark 4.0) or as JSON (later versions)."""
    return ast.literal_eval(text)[topic]
