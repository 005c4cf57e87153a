"""Delivers alerts from the topic `episode` to one sink: in order, with retries and dead letters.

Belongs here: progress, retries and dead letters. Not here: which alert is due
(`core.alerts.alert`), sending it (`adapters.alert_sinks`), when it runs (the sensor `alerts`).

Each sink has its own consumer group, so that one that is down delays no other. An alert is sent,
then stored in the sink's record, then its offset is committed: after a crash it is sent again only
if the crash came after the sink accepted it and before the record was written. So each alert
arrives at least once, or is on `alert_dead_letters`; receivers recognise a repetition by its key.
"""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.topics import (
    EPISODE,
    KafkaSettings,
    ensure_topics,
    messages_to_end,
    partitions_of,
)
from usage_platform.adapters.stores.alert_record import AlertRecord, Failing
from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError, SentAlerts, Severity
from usage_platform.core.anomalies.message_parsing import parse_episode
from usage_platform.core.meters import MeterRegistry

ALERT_DEAD_LETTERS = "alert_dead_letters"
MOST_TRIES = 8
"""Tries before an alert becomes a dead letter, a quarter of an hour after the first one."""

_FIRST_WAIT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 300.0
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Delivered:
    """The result of one turn.

    Attributes:
        sent: Alerts that the sink accepted.
        given_up: Alerts that became dead letters.
        failed: Error of the last failed delivery; empty if none failed.
        waits: Whether an alert waits for its next try.
    """

    sent: int = 0
    given_up: int = 0
    failed: str = ""
    waits: bool = False


class Delivery:
    """Delivers alerts to one sink.

    Args:
        kafka: The brokers.
        sink: The sink.
        record: The alerts that it has accepted.
        registry: The known meters.
        least: Episodes below this severity cause no alert.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        sink: AlertSink,
        record: AlertRecord,
        registry: MeterRegistry,
        least: Severity,
    ) -> None:
        self._kafka = kafka
        self._sink = sink
        self._record = record
        self._registry = registry
        self._least = least
        kept = record.read()
        self._sent = SentAlerts(kept.standings)
        self._failing = kept.failing

    def turn(self, now: datetime, more_time: Iterator[bool]) -> Delivered:
        """Send the alerts that are due.

        A new sink begins at the current end of the topic.

        Args:
            now: The current time, with a zone.
            more_time: Yields before each alert whether there is time for it.

        Raises:
            KafkaUnreachableError: When no broker answers.
            KafkaException: When the broker refuses; nothing is lost.
            LakeError: When the record cannot be read or written; nothing is lost.
        """
        done = Delivered()
        with committed_reader(self._kafka, f"alerts-{self._sink.name}") as client:
            progress = _Progress(client, self._kafka)
            for message in messages_to_end(client, progress.starts()):
                alert = self._alert(message)
                if alert is not None:
                    if self._is_too_early(alert, now):
                        done = replace(done, waits=True)
                        break
                    if not next(more_time):
                        break
                    # After a crash during sending this message must be read again, none before it.
                    progress.commit()
                    done = self._try(alert, now, done)
                    if done.waits:
                        break
                progress.note(message)
                if alert is not None:
                    progress.commit()
            progress.commit()
        return done

    def _alert(self, message: Message) -> Alert | None:
        event = parse_episode(message.value())
        if event is None:
            return None
        return self._sent.due(event, self._least, self._registry.get(event["meter"]))

    def _is_too_early(self, alert: Alert, now: datetime) -> bool:
        failing = self._failing
        return (
            failing is not None and failing.key == alert.key and now.timestamp() < failing.next_try
        )

    def _try(self, alert: Alert, now: datetime, done: Delivered) -> Delivered:
        try:
            self._sink.deliver(alert, now)
        except DeliveryError as error:
            return self._failed(alert, error, now, done)
        self._keep(alert)
        return replace(done, sent=done.sent + 1)

    def _failed(
        self, alert: Alert, error: DeliveryError, now: datetime, done: Delivered
    ) -> Delivered:
        before = self._failing
        tries = 1 + (before.tries if before and before.key == alert.key else 0)
        done = replace(done, failed=str(error))
        if error.lasting or tries >= MOST_TRIES:
            self._publish_dead_letter(alert, str(error), tries, now)
            self._keep(alert)
            return replace(done, given_up=done.given_up + 1)
        wait = min(_FIRST_WAIT_SECONDS * 2.0 ** (tries - 1), _LONGEST_WAIT_SECONDS)
        self._failing = Failing(key=alert.key, tries=tries, next_try=now.timestamp() + wait)
        self._record.write(self._sent.standings, self._failing)
        return replace(done, waits=True)

    def _keep(self, alert: Alert) -> None:
        self._sent.mark(alert)
        self._failing = None
        self._record.write(self._sent.standings, None)

    def _publish_dead_letter(self, alert: Alert, reason: str, tries: int, now: datetime) -> None:
        """Publish a dead letter for an alert that was not delivered.

        Raises:
            KafkaException: When it was not written.
        """
        ensure_topics(self._kafka, (ALERT_DEAD_LETTERS,))
        letter = {
            "sink": self._sink.name,
            "reason": reason,
            "tries": tries,
            "given_up_at": now.isoformat(),
            "alert": alert.as_json(),
        }
        with _producer(self._kafka) as producer:
            producer.produce(ALERT_DEAD_LETTERS, json.dumps(letter).encode(), alert.meter.encode())


class _Progress:
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


@contextmanager
def _producer(kafka: KafkaSettings) -> Generator[Producer]:
    """A producer; leaving the block waits until all messages are written.

    Raises:
        KafkaException: When one was not.
    """
    failures: list[KafkaError] = []

    def note(error: KafkaError | None, message: Message) -> None:
        del message
        if error is not None:
            failures.append(error)

    producer = Producer(kafka.client(**{"enable.idempotence": True}), on_delivery=note)
    yield producer
    left = producer.flush(_ANSWER_SECONDS)
    if failures or left:
        raise KafkaException(failures[0] if failures else KafkaError(KafkaError._TIMED_OUT))
