"""The sensor `alerts`: alerts on episodes, for people and other programs.

Belongs here: when alerts are sent, and what a tick reports. Not here: sending them
(`services.deliver_alerts`).
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.topics import KafkaUnreachableError, ensure_topics
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.alerts.alert import AlertSink
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.deliver_alerts import Delivered, Delivery
from usage_platform.services.sink_turn import SinkBusyError
from usage_platform.wiring.platform import Platform
from usage_platform.wiring.sinks import HOW_TO_CONFIGURE, chosen_sinks

# The slowest request takes some 10 s more, and Dagster allows a tick 60.
_SECONDS = 30.0


@dg.sensor(
    name="alerts",
    description="Sends an alert when an episode opens or closes, to each sink that the settings "
    "configure.",
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def alerts(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """Send the alerts that are due, for at most 30 seconds, shared among the sinks.

    It starts no run: the tick's skip reason says what was sent. Alerts that could not be delivered
    are on the topic `alert_dead_letters`.
    """
    deployment = platform.deployment
    sinks = chosen_sinks(deployment.settings)
    if not sinks:
        return dg.SkipReason(f"no alert sink is configured: {HOW_TO_CONFIGURE}")
    ends = time.monotonic() + _SECONDS
    said = []
    for number, sink in enumerate(sinks):
        share = (ends - time.monotonic()) / (len(sinks) - number)
        try:
            done = _turn(deployment, sink, share)
        except SinkBusyError as error:
            said.append(f"{sink.name}: {error}")
            continue
        except (KafkaUnreachableError, KafkaException, LakeError) as error:
            said.append(f"{sink.name}: will retry at the next tick, nothing is lost: {error}")
            continue
        said.append(f"{sink.name}: {_in_words(done)}")
        if done.sent or done.failed:
            context.log.info(said[-1])
    return dg.SkipReason("; ".join(said))


def _turn(deployment: Platform, sink: AlertSink, seconds: float) -> Delivered:
    # A new sink starts at the end of the topic: on a new platform, before the first episode.
    ensure_topics(deployment.kafka)
    delivery = Delivery(
        deployment.kafka,
        sink,
        AlertRecord(deployment.assets, sink.name),
        deployment.sink_turn(sink.name),
        deployment.registry(),
        deployment.settings.alert_min_severity,
        lake_id(deployment.lake),
    )
    return delivery.turn(datetime.now(UTC), _until(time.monotonic() + seconds))


def _until(deadline: float) -> Iterator[bool]:
    """Whether the deadline is still ahead, each time it is asked."""
    while True:
        yield time.monotonic() < deadline


def _in_words(done: Delivered) -> str:
    parts = [f"{done.sent} sent"] if done.sent else []
    if done.given_up:
        parts.append(f"{done.given_up} not delivered, moved to alert_dead_letters ({done.failed})")
    elif done.failed:
        parts.append(f"delivery failed ({done.failed}), will retry")
    elif done.waits:
        parts.append("one is waiting for its retry")
    return ", ".join(parts) or "no alert due"
