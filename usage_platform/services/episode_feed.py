"""The messages of the topic `episode` for the routes, and the offsets that are committed for them.

Belongs here: the consumer group of the routes. Not here: what is done with the messages
(`route_alerts`), a sink's own group (`sink_progress`).
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.consuming import message_portions
from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    EPISODE,
    KafkaSettings,
    messages_to_end,
    partitions_of,
)
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.anomalies.message_parsing import parse_episode
from usage_platform.services.offset_marks import Work, check_lake
from usage_platform.services.route_decisions import FeedMessage
from usage_platform.services.sink_progress import SinkProgress

ROUTES = "routes"
"""The name of the routes' turn, file and consumer group (`alerts-routes`)."""

_MOST_MESSAGES = 20_000


class KafkaFeed:
    """The messages that wait for the routes. Made by `episode_feed`."""

    def __init__(self, client: Consumer, progress: SinkProgress) -> None:
        self._client = client
        self._progress = progress
        self._messages: list[Message] = []

    @property
    def topic(self) -> str:
        """The id of the topic, once its messages were read; empty where the broker tells none."""
        return self._progress.topic

    def messages(self) -> Sequence[FeedMessage]:
        """What waits, at most 20,000 messages."""
        starts = self._progress.starts()
        waiting = messages_to_end(self._client, starts)
        self._messages = next(message_portions(waiting, _MOST_MESSAGES), list[Message]())
        return [
            FeedMessage(one.partition() or 0, one.offset() or 0, parse_episode(one.value()))
            for one in self._messages
        ]

    def commit(self, count: int) -> None:
        """Commit the first messages."""
        for message in self._messages[:count]:
            self._progress.note(message)
        self._progress.commit()


@contextmanager
def episode_feed(
    kafka: KafkaSettings, assets: LakeFiles, lake_id: str, sinks: Sequence[str]
) -> Generator[KafkaFeed]:
    """The messages that were not routed yet.

    The first time they begin where the sinks that had delivered without routes have come to.

    Args:
        kafka: The brokers.
        assets: The lake's `assets/`.
        lake_id: The id of the lake.
        sinks: The names of the sinks.

    Raises:
        KafkaException: When the broker refuses.
        OtherLakeError: When the consumer group serves another lake.
    """
    group = f"alerts-{ROUTES}"
    with committed_reader(kafka, group) as client:
        check_lake(client, kafka, lake_id, Work(EPISODE, group, "alerted"))
        _inherit(client, kafka, sinks)
        record = AlertRecord(assets, ROUTES)
        yield KafkaFeed(client, SinkProgress(client, kafka, record, lake_id))


def _inherit(client: Consumer, kafka: KafkaSettings, sinks: Sequence[str]) -> None:
    """Commit the smallest offset of all sinks in each partition, if the group has none."""
    partitions = partitions_of(client, kafka, EPISODE)
    if not partitions or _offsets(client, partitions):
        return
    least: dict[int, TopicPartition] = {}
    for sink in sinks:
        with committed_reader(kafka, f"alerts-{sink}") as other:
            for one in _offsets(other, partitions):
                before = least.get(one.partition)
                if before is None or one.offset < before.offset:
                    least[one.partition] = one
    if least:
        client.commit(offsets=list(least.values()), asynchronous=False)


def _offsets(client: Consumer, partitions: list[TopicPartition]) -> list[TopicPartition]:
    """The committed offsets of a group."""
    given = [TopicPartition(one.topic, one.partition) for one in partitions]
    found = client.committed(given, timeout=ANSWER_SECONDS)
    return [one for one in found if one.offset != OFFSET_INVALID]
