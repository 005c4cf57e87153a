"""Whether the progress of a stream into the lake fits the topic as it is now.

Belongs here: comparing Spark's checkpoint with the topic before each run, what follows from it, and
giving up deleted events. Not here: the stream itself (`ingest`), the checkpoint's files
(`adapters.lake.checkpoints`).

A topic that was deleted and created again, or one on another cluster, is a new topic: nothing of
the old one can still come, so that a new checkpoint begins at its start. That is safe, because all
tables are merged by key. Events that Kafka deleted before they were ingested are lost to the lake:
a person decides (`accept_deleted`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from usage_platform.adapters.kafka.topic_ids import UNKNOWN, topic_id
from usage_platform.adapters.kafka.topics import ANOMALY, KafkaSettings, end_offsets
from usage_platform.adapters.lake.checkpoints import Checkpoint, Checkpoints
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.tables import Lake


class EventsDeletedError(LakeError):
    """Kafka deleted events that were not ingested; one line with what is lost and what to do."""


@dataclass(frozen=True)
class DeletedOffsets:
    """Offsets of a partition that Kafka deleted before they were ingested.

    Attributes:
        partition: The partition.
        first: The first one.
        end: One past the last one.
    """

    partition: int
    first: int
    end: int

    def __str__(self) -> str:
        return (
            f"{self.end - self.first:,} offsets of partition {self.partition} "
            f"({self.first} to {self.end - 1})"
        )


@dataclass(frozen=True)
class TopicProgress:
    """The progress of a stream, compared with its topic.

    Attributes:
        ends: First offset and end of each partition of the topic.
        done: By partition, one past the last ingested offset; empty when nothing of this topic is.
        reason: Why the checkpoint does not fit the topic, so that a new one begins; else empty.
        deleted: What Kafka deleted before it was ingested, and nobody has given up yet.
        skips: Whether ingestion goes past deleted offsets that a person gave up.
    """

    ends: dict[int, tuple[int, int]]
    done: dict[int, int]
    reason: str = ""
    deleted: tuple[DeletedOffsets, ...] = ()
    skips: bool = False

    def check_complete(self, topic: str) -> None:
        """Make sure that no event was deleted before it was ingested.

        Raises:
            EventsDeletedError: Otherwise.
        """
        if self.deleted:
            raise EventsDeletedError(_refusal(topic, self.deleted))


@dataclass(frozen=True)
class StreamStart:
    """Where and how a run of a stream begins.

    Attributes:
        checkpoint: The folder of its checkpoint.
        fail_on_data_loss: Spark's option `failOnDataLoss`.
        notice: What is to be reported, in one line; empty if nothing is.
        topic_id: The topic's id.
        begin: By partition, the offset of the first event to read.
        first_batch: The number of the first batch.
    """

    checkpoint: str
    fail_on_data_loss: bool
    notice: str
    topic_id: str
    begin: dict[int, int]
    first_batch: int


def compare(
    ends: Mapping[int, tuple[int, int]],
    committed: Mapping[int, int],
    planned: Mapping[int, int],
    same_topic: bool,
    accepted: Mapping[int, int],
) -> TopicProgress:
    """Compare a checkpoint's offsets with those of the topic.

    Args:
        ends: First offset and end of each partition; not empty.
        committed: One past the last ingested offset of each partition.
        planned: The same at the end of the last batch that began.
        same_topic: Whether the topic still has the id that the checkpoint belongs to.
        accepted: Below these offsets deleted events were given up.
    """
    if not same_topic:
        reason = "it was created again, or is on another cluster, since the last run"
        return TopicProgress(dict(ends), {}, reason)
    reached = [*committed.items(), *planned.items()]
    beyond = [p for p, at in reached if p not in ends or at > ends[p][1]]
    if beyond:
        reason = (
            f"partition {beyond[0]} ends before the last ingested offset: it was created again, or "
            "the broker lost events that it had acknowledged"
        )
        return TopicProgress(dict(ends), {}, reason)
    if not committed:
        # Where the first batch began is unknown: a later look finds no gap.
        may_hang = bool(planned) and any(low for low, _ in ends.values())
        reason = "its first batch did not finish, and Kafka may have deleted some of it"
        return TopicProgress(dict(ends), {}, reason if may_hang else "")
    gaps = [
        DeletedOffsets(p, committed.get(p, 0), low)
        for p, (low, _) in sorted(ends.items())
        if committed.get(p, 0) < low
    ]
    lost = tuple(gap for gap in gaps if accepted.get(gap.partition, 0) < gap.end)
    return TopicProgress(dict(ends), dict(committed), deleted=lost, skips=bool(gaps) and not lost)


def topic_progress(lake: Lake, kafka: KafkaSettings, topic: str, own: str = "") -> TopicProgress:
    """The progress of a stream into the lake.

    Args:
        lake: The lake.
        kafka: The brokers.
        topic: The topic.
        own: The folder among the checkpoints, as for `Lake.checkpoint`.

    Raises:
        KafkaUnreachableError: When no broker answers.
        LakeError: When the checkpoint cannot be read.
    """
    checkpoints = Checkpoints(lake, topic, own)
    return _progress(checkpoints, checkpoints.current(), kafka, topic, topic_id(kafka, topic))


def ingested_offsets(lake: Lake, kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """By partition, one past the last offset of the present topic that is in the lake.

    Raises:
        KafkaUnreachableError: When no broker answers.
    """
    return topic_progress(lake, kafka, topic).done


def start_of_stream(lake: Lake, kafka: KafkaSettings, topic: str, own: str = "") -> StreamStart:
    """Prepare a run of a stream: a checkpoint that belongs to the topic as it is now.

    The topic's id is stored before the first batch. Called under the lease on the lake.

    Args:
        lake: The lake.
        kafka: The brokers.
        topic: The topic.
        own: As for `topic_progress`.

    Raises:
        EventsDeletedError: When Kafka deleted events before they were ingested.
        KafkaUnreachableError: When no broker answers.
    """
    checkpoints = Checkpoints(lake, topic, own)
    current = checkpoints.current()
    now = topic_id(kafka, topic) or ""
    progress = _progress(checkpoints, current, kafka, topic, now)
    progress.check_complete(topic)
    notice = ""
    if progress.reason:
        current = Checkpoint(now, current.number + 1)
        notice = (
            f"topic {topic}: {progress.reason}; ingestion began again at its first event with a "
            "new checkpoint, and events that are in the lake already change nothing"
        )
        checkpoints.save(current)
    elif now and current.topic_id in ("", UNKNOWN):
        current = replace(current, topic_id=now)
        checkpoints.save(current)
    return StreamStart(
        checkpoints.folder(current),
        not progress.skips,
        notice,
        now,
        {p: max(progress.done.get(p, low), low) for p, (low, _) in progress.ends.items()},
        checkpoints.next_batch(current),
    )


def accept_deleted(
    lake: Lake, kafka: KafkaSettings, topic: str, own: str = ""
) -> tuple[DeletedOffsets, ...]:
    """Give up the events that Kafka deleted before they were ingested; the next run goes on.

    Returns:
        What was given up; nothing where nothing is missing.

    Raises:
        KafkaUnreachableError: When no broker answers.
        LakeError: When the checkpoint's file cannot be read or written.
    """
    checkpoints = Checkpoints(lake, topic, own)
    current = checkpoints.current()
    lost = _progress(checkpoints, current, kafka, topic, topic_id(kafka, topic)).deleted
    if lost:
        accepted = {**current.accepted, **{gap.partition: gap.end for gap in lost}}
        checkpoints.save(replace(current, accepted=accepted))
    return lost


def _progress(
    checkpoints: Checkpoints,
    current: Checkpoint,
    kafka: KafkaSettings,
    topic: str,
    now: str | None,
) -> TopicProgress:
    ends = end_offsets(kafka, topic) if now else {}
    committed = checkpoints.committed(current)
    if not ends:
        return TopicProgress({}, committed)
    same = current.topic_id in ("", now) or UNKNOWN in (current.topic_id, now)
    return compare(ends, committed, checkpoints.planned(current), same, current.accepted)


def _refusal(topic: str, deleted: tuple[DeletedOffsets, ...]) -> str:
    ranges = ", ".join(map(str, deleted))
    source = (
        "materializing the asset anomalies scores their days again"
        if topic == ANOMALY
        else "publish them again if their sender or a copy of the topic still has them"
    )
    return (
        f"topic {topic}: ingestion has stopped, because Kafka's retention deleted {ranges} before "
        f"they were ingested; {source}; 'usage-platform accept-loss {topic}' goes on without them"
    )
