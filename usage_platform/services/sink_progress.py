"""How far a sink has come on the topic `episode`.

Belongs here: the offsets of its consumer group. Not here: what is sent (`deliver_alerts`).
"""

from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    EPISODE,
    KafkaSettings,
    offset_ranges,
    partitions_of,
)
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.services.offset_marks import offset_mark


class SinkProgress:
    """The committed offsets of a sink's consumer group on the topic.

    Args:
        client: A consumer in the sink's group.
        kafka: The brokers.
        record: The alerts that the sink has accepted.
        lake_id: The id of the lake.
    """

    def __init__(
        self, client: Consumer, kafka: KafkaSettings, record: AlertRecord, lake_id: str
    ) -> None:
        self._client = client
        self._kafka = kafka
        self._record = record
        self._lake_id = lake_id
        self._topic = ""
        self._noted: dict[int, int] = {}

    @property
    def topic(self) -> str:
        """The id of the topic, once `starts` was called."""
        return self._topic

    def starts(self) -> list[TopicPartition]:
        """Where to resume in each partition, which is committed.

        A new sink starts at the end. For a sink that is not new, a partition without an offset was
        added since, and begins at its start; so does every one of a topic that was created again.
        """
        partitions = partitions_of(self._client, self._kafka, EPISODE)
        if not partitions:
            return []
        topic = self._topic = topic_id(self._kafka, EPISODE) or ""
        kept = self._record.topic_id()
        is_other_topic = kept not in ("", topic)
        committed = self._client.committed(partitions, timeout=ANSWER_SECONDS)
        is_new = not is_other_topic and all(one.offset == OFFSET_INVALID for one in committed)
        ranges = offset_ranges(self._client, committed)
        for one in committed:
            low, high = ranges[one.partition]
            if is_new:
                one.offset = high
            elif is_other_topic or not low <= one.offset <= high:
                one.offset = low
            else:
                continue
            self._noted[one.partition] = one.offset
        self.commit()
        if kept != topic:
            # After the offsets: in between, a kill makes it begin again at the start.
            self._record.keep_topic_id(topic)
        return committed

    def note(self, message: Message) -> None:
        """Mark a message as processed."""
        self._noted[message.partition() or 0] = (message.offset() or 0) + 1

    def commit(self) -> None:
        """Commit the messages that were marked since the last time."""
        if self._noted:
            mark = offset_mark(self._topic, self._lake_id)
            offsets = [TopicPartition(EPISODE, p, at, mark) for p, at in self._noted.items()]
            self._client.commit(offsets=offsets, asynchronous=False)
            self._noted.clear()
