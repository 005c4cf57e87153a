"""Sends what waits for one target: storms, alerts, digests; with retries and dead letters.

Belongs here: the order of sending and recording. Not here: what is queued (`route_alerts`), when an
alert is given up (`alert_tries`).

An alert is sent, then it is removed from the queue in the target's record: after a crash it is sent
again only if the crash came in between.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError
from usage_platform.core.alerts.digests import digest_alert
from usage_platform.core.alerts.storms import storm_alert
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.alert_tries import failed, is_given_up, is_too_early
from usage_platform.services.deliver_alerts import Delivered
from usage_platform.services.target_state import TargetState

GiveUp = Callable[[str, Alert, str, int], None]
"""Publishes a dead letter: the target's name, the alert, the reason, the number of tries."""


class QueueDelivery:
    """Sends to one target.

    Args:
        sink: The target.
        state: What is kept of it.
        registry: The known meters.
        give_up: Publishes a dead letter.
    """

    def __init__(
        self, sink: AlertSink, state: TargetState, registry: MeterRegistry, give_up: GiveUp
    ) -> None:
        self._sink = sink
        self._state = state
        self._registry = registry
        self._give_up = give_up

    def turn(self, now: datetime, more_time: Iterator[bool]) -> Delivered:
        """Send what is due.

        Args:
            now: The current time, with a zone.
            more_time: Yields before each alert whether there is time for it.

        Raises:
            KafkaException: When a dead letter could not be written; nothing is lost.
            LakeError: When the record could not be written; nothing is lost.
        """
        done = Delivered()
        while (due := self._next(now.timestamp())) is not None:
            alert, mark_sent = due
            if is_too_early(self._state.failing, alert.key, now):
                return replace(done, waits=True)
            if not next(more_time):
                return done
            if self._state.is_changed:
                # What a storm says is kept first: after a crash the same alert says the same.
                self._state.write()
            done = self._try(alert, mark_sent, now, done)
            if done.waits:
                return done
        return done

    def _next(self, now: float) -> tuple[Alert, Callable[[], None]] | None:
        """What is sent next, and what notes that it was."""
        state = self._state
        storm = state.storms.due(now)
        if storm is not None:
            state.is_changed = True
            alert = storm_alert(storm, self._registry.get(storm.first[0]))
            # Storms differ by target, and targets may share a receiver that knows them by keys.
            alert = replace(alert, key=f"{alert.key}/{self._sink.name}")
            return alert, lambda: state.storms.mark_sent(storm.key, now)
        batch = state.queue.next_batch(now)
        if batch is None:
            return None
        alert = batch.single or digest_alert(batch, self._sink.name, self._registry.default)
        return alert, lambda: state.queue.remove(batch)

    def _try(
        self, alert: Alert, mark_sent: Callable[[], None], now: datetime, done: Delivered
    ) -> Delivered:
        state = self._state
        try:
            self._sink.deliver(alert, now)
        except DeliveryError as error:
            done = replace(done, failed=str(error))
            failing = failed(state.failing, alert.key, error, now)
            if not is_given_up(failing):
                state.failing = failing
                state.write()
                return replace(done, waits=True)
            self._give_up(self._sink.name, alert, str(error), failing.tries)
            done = replace(done, given_up=done.given_up + 1)
        else:
            done = replace(done, sent=done.sent + 1)
        mark_sent()
        state.failing = None
        state.write()
        return done
