"""How far a sink has come on the topic `episode`.

Belongs here: the offsets of its consumer group. Not here: what is sent (`deliver_alerts`).
"""

from confluent_kafka import OFFSET_INVALID, Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.topics import EPISODE, KafkaSettings, partitions_of

_ANSWER_SECONDS = 10.0


class SinkProgress:
    """The committed offsets of a sink's consumer group on the topic."""

    def __init__(self, client: Consumer, kafka: KafkaSettings) -> None:
        self._client = client
        self._kafka = kafka
        self._noted: dict[int, int] = {}

    def starts(self) -> list[TopicPartition]:
        """Where to resume in each partition; a new group starts at the end, which is committed."""
        partitions = partitions_of(self._client, self._kafka, EPISODE)
        if not partitions:
            return []
        committed = self._client.committed(partitions, timeout=_ANSWER_SECONDS)
        for one in committed:
            if one.offset == OFFSET_INVALID:
                one.offset = self._client.get_watermark_offsets(one, timeout=_ANSWER_SECONDS)[1]
                self._noted[one.partition] = one.offset
        self.commit()
        return committed

    def note(self, message: Message) -> None:
        """Mark a message as processed."""
        self._noted[message.partition() or 0] = (message.offset() or 0) + 1

    def commit(self) -> None:
        """Commit the messages that were marked since the last time."""
        if self._noted:
            offsets = [TopicPartition(EPISODE, p, offset) for p, offset in self._noted.items()]
            self._client.commit(offsets=offsets, asynchronous=False)
            self._noted.clear()
