"""A turn of alerts by routes: route what waits, then send what is due, target by target.

Belongs here: the order of both, the rights to send, queues of targets that are no more. Not here:
routing (`route_alerts`), sending (`deliver_queue`), when it runs (the sensor `alerts`).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.adapters.stores.routing_record import RoutingRecord
from usage_platform.core.alerts.alert import Alert, AlertSink
from usage_platform.core.alerts.digests import digest_alert
from usage_platform.core.alerts.storms import storm_alert
from usage_platform.services.deliver_alerts import Delivered
from usage_platform.services.deliver_queue import GiveUp, QueueDelivery
from usage_platform.services.route_alerts import Routing
from usage_platform.services.route_decisions import EpisodeFeed, RoutingInputs
from usage_platform.services.sink_turn import SinkTurn
from usage_platform.services.target_state import TargetState

_SECONDS_A_PLACE = 10
_FOR_EVER = float("inf")


@dataclass(frozen=True)
class RoutedAlerts:
    """What a turn needs.

    Attributes:
        assets: The lake's `assets/`.
        targets: Where alerts go to, by name: the targets of the file and the sinks.
        inputs: What routing looks at.
        feed: Opens the messages that were not routed yet.
        turns: Gives the right to send to a target, by its name.
        give_up: Publishes a dead letter.
    """

    assets: LakeFiles
    targets: Mapping[str, AlertSink]
    inputs: RoutingInputs
    feed: Callable[[], AbstractContextManager[EpisodeFeed]]
    turns: Callable[[str], SinkTurn]
    give_up: GiveUp

    def turn(self, now: datetime, seconds: float) -> Iterator[tuple[str, Delivered | str]]:
        """Route and send.

        Args:
            now: The current time, with a zone.
            seconds: About how long it may take.

        Yields:
            The name of each target with what was sent, or with an error in one line.

        Raises:
            SinkBusyError: When another turn sends to one of the targets.
            KafkaException: When the broker refuses; nothing is lost.
            LakeError: When something cannot be read or written; nothing is lost.
        """
        ends = time.monotonic() + seconds
        with ExitStack() as rights:
            for name in self.targets:
                rights.enter_context(self.turns(name).taken())
            states = {
                name: TargetState(AlertRecord(self.assets, name), now) for name in self.targets
            }
            self._route(states, now, _until(time.monotonic() + seconds / 2))
            order = _order(list(self.targets), now)
            unexpected: list[Exception] = []
            for number, name in enumerate(order):
                share = (ends - time.monotonic()) / (len(order) - number)
                try:
                    done = self._deliver(name, states[name], now, time.monotonic() + share)
                except Exception as error:
                    # Whatever it is: the other targets get their alerts before the turn fails.
                    unexpected.append(error)
                else:
                    yield name, done
            if unexpected:
                raise unexpected[0]

    def _route(
        self, states: Mapping[str, TargetState], now: datetime, more_time: Iterator[bool]
    ) -> None:
        record = RoutingRecord(self.assets)
        self._take_over(record, states, now)
        routing = Routing(self.inputs, states, record, now)
        with self.feed() as feed:
            routing.turn(feed, more_time)

    def _deliver(
        self, name: str, state: TargetState, now: datetime, ends: float
    ) -> Delivered | str:
        delivery = QueueDelivery(self.targets[name], state, self.inputs.registry, self.give_up)
        try:
            return delivery.turn(now, _until(ends))
        # Such as a dead letter that cannot be written: it stops no other target.
        except KafkaException as error:
            return kafka_error_line(error)
        except LakeError as error:
            return str(error)

    def _take_over(
        self, record: RoutingRecord, states: Mapping[str, TargetState], now: datetime
    ) -> None:
        """Give what waits for a target that is no more to all sinks."""
        heirs = [states[name] for name in self.inputs.sinks if name in states]
        others = [name for name in record.recorded_targets() if name not in states]
        for name in others if heirs else ():
            left = TargetState(AlertRecord(self.assets, name), now)
            alerts = list(self._left(name, left, now))
            if not alerts:
                continue
            for heir in heirs:
                heir.take_over(alerts)
                heir.write()
            left.write()

    def _left(self, name: str, left: TargetState, now: datetime) -> Iterator[Alert]:
        """What waits in a queue, and the storms that were not sent; both are emptied."""
        registry = self.inputs.registry
        while (storm := left.storms.due(_FOR_EVER)) is not None:
            yield storm_alert(storm, registry.get(storm.first[0]))
            left.storms.mark_sent(storm.key, now.timestamp())
        while (batch := left.queue.next_batch(_FOR_EVER)) is not None:
            yield batch.single or digest_alert(batch, name, registry.default)
            left.queue.remove(batch)


def _order(names: Sequence[str], now: datetime) -> list[str]:
    """Another target is first each time, so that slow ones leave time to all in turn."""
    first = int(now.timestamp()) // _SECONDS_A_PLACE % len(names) if names else 0
    return [*names[first:], *names[:first]]


def _until(deadline: float) -> Iterator[bool]:
    """Whether the deadline is still ahead, each time it is asked."""
    while True:
        yield time.monotonic() < deadline
