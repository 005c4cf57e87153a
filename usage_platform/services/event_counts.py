"""Where the ingested events of the topic `usage` are: readings + superseded + rejects = events.

Belongs here: counting them. Not here: which event is which (`core.readings.validation`).
"""

from dataclasses import dataclass

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.checkpoints import Checkpoints
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, REJECTS


@dataclass(frozen=True)
class RejectCount:
    """The rejects of one topic and reason.

    Attributes:
        topic: The topic that they were on.
        reason: The reason's code.
        count: Their number.
        recent: How many of them the broker received in the last 24 hours.
    """

    topic: str
    reason: str
    count: int
    recent: int


@dataclass(frozen=True)
class EventCounts:
    """The events of the topic `usage` that are in the lake.

    Attributes:
        events: Offsets of the topic that were ingested. Transactions, by which readings of samples
            and groups are published, take offsets for their markers, which are no events. Rows of a
            batch that is being written count before its offsets do.
        readings: Rows of the table `readings`: one event each.
        rejects: Rows of the table `rejects` of this topic: one event each.
    """

    events: int
    readings: int
    rejects: int

    @property
    def superseded(self) -> int:
        """Valid events whose meter and time have a newer one, and markers of transactions."""
        return self.events - self.readings - self.rejects


def reject_counts(reader: LakeReader) -> list[RejectCount]:
    """Count the rejects by topic and reason, the most frequent first."""
    if not reader.exists(REJECTS):
        return []
    rows = reader.query_rows(
        "SELECT topic, reason, count(*) AS n, "
        "count(*) FILTER (kafka_time >= now() - INTERVAL 1 DAY) AS recent "
        "FROM rejects GROUP BY topic, reason ORDER BY n DESC, topic, reason"
    )
    return [RejectCount(r["topic"], r["reason"], r["n"], r["recent"]) for r in rows]


def event_counts(reader: LakeReader, rejects: list[RejectCount]) -> EventCounts:
    """Count the events that were ingested, and what they are.

    Args:
        reader: The lake's tables.
        rejects: As from `reject_counts`.
    """
    readings = max(reader.state(READINGS).rows, 0)
    rejected = sum(one.count for one in rejects if one.topic == USAGE)
    offsets = Checkpoints(reader.lake, USAGE).offsets_of_all()
    return EventCounts(max(offsets, readings + rejected), readings, rejected)
