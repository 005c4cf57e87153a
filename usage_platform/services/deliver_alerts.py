"""Alerts from the topic `episode` to one sink: in order, tried again, given up in the open.

Belongs here: progress, repetition and dead letters. Not here: what is due (`core.alerts.alert`),
sending (`alert_sinks`), when it runs (the sensor `alerts`).

Each sink has a consumer group of its own, so that one that is down holds up no other. An alert is
sent, then kept in the sink's record, then its offset is committed: after a crash anywhere it is
sent again only if the crash came after the sink had taken it and before the record was written. So
each alert arrives at least once, or is on `alert_dead_letters`; its key tells a repetition.
"""

import json
from collections.abc import Iterator
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
from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError, Severity, ToldAlerts
from usage_platform.core.meters import MeterRegistry

ALERT_DEAD_LETTERS = "alert_dead_letters"
MOST_TRIES = 8
"""An alert that was refused as often is given up, a quarter of an hour after the first try."""

_FIRST_WAIT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 300.0
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Delivered:
    """What one turn came to.

    Attributes:
        sent: Alerts that the sink took.
        given_up: Alerts that were put on the dead letters.
        failed: Why the last one that was not taken was not; empty if all were.
        waits: Whether an alert waits to be tried again.
    """

    sent: int = 0
    given_up: int = 0
    failed: str = ""
    waits: bool = False


class Delivery:
    """The way from the topic to one sink.

    Args:
        kafka: The brokers.
        sink: The sink.
        record: What it was told.
        registry: The known meters.
        least: Episodes below this severity are not told.
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
        self._told = ToldAlerts(kept.standings)
        self._failing = kept.failing

    def turn(self, now: datetime, more_time: Iterator[bool]) -> Delivered:
        """Send what is due.

        A sink that was never heard of begins with what comes from now on.

        Args:
            now: The current time, with a zone.
            more_time: Asked before each alert whether there is time for it.

        Raises:
            KafkaUnreachableError: When no broker answers.
            KafkaException: When one refuses; nothing is lost.
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
                    # A crash after sending must bring back this message and none before it.
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
        # Only this platform writes them, so none is judged.
        event = json.loads(message.value() or b"{}")
        return self._told.due(event, self._least, self._registry.get(event["meter"]))

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
            self._bury(alert, str(error), tries, now)
            self._keep(alert)
            return replace(done, given_up=done.given_up + 1)
        wait = min(_FIRST_WAIT_SECONDS * 2.0 ** (tries - 1), _LONGEST_WAIT_SECONDS)
        self._failing = Failing(key=alert.key, tries=tries, next_try=now.timestamp() + wait)
        self._record.write(self._told.standings, self._failing)
        return replace(done, waits=True)

    def _keep(self, alert: Alert) -> None:
        self._told.mark(alert)
        self._failing = None
        self._record.write(self._told.standings, None)

    def _bury(self, alert: Alert, reason: str, tries: int, now: datetime) -> None:
        """Put an alert that was not taken where it can be looked at.

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
    """How far a sink's consumer group has come on the topic."""

    def __init__(self, client: Consumer, kafka: KafkaSettings) -> None:
        self._client = client
        self._kafka = kafka
        self._noted: dict[int, int] = {}

    def starts(self) -> list[TopicPartition]:
        """Where to go on in each partition; for a new group at the end, which is committed."""
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
        """Take it that a message is dealt with."""
        self._noted[message.partition() or 0] = (message.offset() or 0) + 1

    def commit(self) -> None:
        """Tell the broker what was noted since the last time."""
        if self._noted:
            places = [TopicPartition(EPISODE, p, offset) for p, offset in self._noted.items()]
            self._client.commit(offsets=places, asynchronous=False)
            self._noted.clear()


@contextmanager
def _producer(kafka: KafkaSettings) -> Iterator[Producer]:
    """A producer; leaving it waits until all was written.

    Raises:
        KafkaException: When it was not.
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
