"""Delivers alerts from the topic `episode` to one sink: in order, with retries and dead letters.

Belongs here: the order of sending, recording and committing, and retries. Not here: which alert is
due (`core.alerts`), sending it (`adapters.alert_sinks`), when it runs (the sensor `alerts`).

Each sink has its own consumer group, so that one that is down delays no other. An alert is sent,
then stored in the sink's record, then its offset is committed: after a crash it is sent again only
if the crash came after the sink accepted it and before the record was written. So each alert
arrives at least once, or is on `alert_dead_letters`; receivers recognise a repetition by its key.
An episode that is counted in a storm is recorded before its offset is committed; the record then
owes the alert on the storm.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from confluent_kafka import Message

from usage_platform.adapters.kafka.consuming import message_portions
from usage_platform.adapters.kafka.events import committed_reader
from usage_platform.adapters.kafka.topics import EPISODE, KafkaSettings, messages_to_end
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError, Severity
from usage_platform.core.alerts.sent_alerts import SentAlerts
from usage_platform.core.alerts.storms import Storms, storm_alert
from usage_platform.core.anomalies.message_parsing import parse_episode
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.alert_dead_letters import publish_dead_letter
from usage_platform.services.alert_tries import failed, is_given_up, is_too_early
from usage_platform.services.offset_marks import Work, check_lake
from usage_platform.services.sink_progress import SinkProgress
from usage_platform.services.sink_turn import SinkTurn

_MOST_MESSAGES = 20_000


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
        turn: The right to send to it.
        registry: The known meters.
        least: Episodes below this severity cause no alert.
        lake_id: The id of the lake for which alerts are sent.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        sink: AlertSink,
        record: AlertRecord,
        turn: SinkTurn,
        registry: MeterRegistry,
        least: Severity,
        lake_id: str,
    ) -> None:
        self._kafka = kafka
        self._sink = sink
        self._record = record
        self._turn = turn
        self._registry = registry
        self._least = least
        self._lake_id = lake_id

    def turn(self, now: datetime, more_time: Iterator[bool]) -> Delivered:
        """Send the alerts that are due.

        A new sink begins at the current end of the topic, a new partition at its start.

        Args:
            now: The current time, with a zone.
            more_time: Yields before each alert whether there is time for it.

        Raises:
            SinkBusyError: When another turn sends the sink's alerts.
            KafkaUnreachableError: When no broker answers.
            KafkaException: When the broker refuses; nothing is lost.
            LakeError: When the record cannot be read or written; nothing is lost.
            OtherLakeError: When the sink's consumer group serves another lake.
        """
        with self._turn.taken():
            kept = self._record.read()
            self._sent = SentAlerts(kept.standings)
            self._sent.forget(now.timestamp())
            self._storms = Storms(self._sent, kept.storms)
            self._failing, self._is_kept = kept.failing, True
            # What an earlier turn had counted in a storm comes first.
            done = self._send_storms(now, more_time, Delivered())
            if not done.waits:
                done = self._send_waiting(now, more_time, done)
            if not done.waits:
                done = self._send_storms(now, more_time, done)
            return done

    def _send_waiting(self, now: datetime, more_time: Iterator[bool], done: Delivered) -> Delivered:
        """Send the alerts on single episodes, and count the others in their storms."""
        group = f"alerts-{self._sink.name}"
        with committed_reader(self._kafka, group) as client:
            work = Work(EPISODE, group, "alerted")
            check_lake(client, self._kafka, self._lake_id, work)
            progress = SinkProgress(client, self._kafka, self._record, self._lake_id)
            waiting = messages_to_end(client, progress.starts())
            messages = next(message_portions(waiting, _MOST_MESSAGES), list[Message]())
            events = [parse_episode(message.value()) for message in messages]
            self._storms.look_ahead((event for event in events if event), self._least)
            for message, event in zip(messages, events, strict=True):
                alert = self._alert(event, now)
                if alert is not None:
                    if is_too_early(self._failing, alert.key, now):
                        done = replace(done, waits=True)
                        break
                    if not next(more_time):
                        break
                    # After a crash during sending this message must be read again, none before it.
                    self._keep_counted()
                    progress.commit()
                    done = self._try(alert, now, done)
                    if done.waits:
                        break
                progress.note(message)
                if alert is not None:
                    progress.commit()
            self._keep_counted()
            progress.commit()
        return done

    def _send_storms(self, now: datetime, more_time: Iterator[bool], done: Delivered) -> Delivered:
        """Send the alerts on storms that are due."""
        while (storm := self._storms.due(now.timestamp())) is not None:
            alert = storm_alert(storm, self._registry.get(storm.first[0]))
            if is_too_early(self._failing, alert.key, now):
                return replace(done, waits=True)
            if not next(more_time):
                return done
            # Its content is kept first: after a crash the same alert says the same.
            self._write()
            done = self._try(alert, now, done)
            if done.waits:
                return done
        return done

    def _alert(self, event: Mapping[str, Any] | None, now: datetime) -> Alert | None:
        """The alert on a message's episode alone; None too if it is counted in a storm."""
        if event is None:
            return None
        if self._storms.take(event, self._least, now.timestamp()):
            self._is_kept = False
            return None
        return self._sent.due(event, self._least, self._registry.get(event["meter"]))

    def _try(self, alert: Alert, now: datetime, done: Delivered) -> Delivered:
        try:
            self._sink.deliver(alert, now)
        except DeliveryError as error:
            return self._failed(alert, error, now, done)
        self._keep(alert, now)
        return replace(done, sent=done.sent + 1)

    def _failed(
        self, alert: Alert, error: DeliveryError, now: datetime, done: Delivered
    ) -> Delivered:
        done = replace(done, failed=str(error))
        failing = failed(self._failing, alert.key, error, now)
        if is_given_up(failing):
            tries = failing.tries
            publish_dead_letter(self._kafka, self._sink.name, alert, str(error), tries, now)
            self._keep(alert, now)
            return replace(done, given_up=done.given_up + 1)
        self._failing = failing
        self._write()
        return replace(done, waits=True)

    def _keep(self, alert: Alert, now: datetime) -> None:
        """Record that an alert was sent or given up."""
        if alert.episode:
            name = f"{alert.meter}/{alert.episode}"
            self._sent.mark(name, replace(alert.standing, at=now.timestamp()))
        else:
            self._storms.mark_sent(alert.standing.storm, now.timestamp())
        self._failing = None
        self._write()

    def _keep_counted(self) -> None:
        """Record what was counted in storms, before the offsets of its messages are committed."""
        if not self._is_kept:
            self._write()

    def _write(self) -> None:
        self._record.write(self._sent.standings, self._storms.known, self._failing)
        self._is_kept = True
