"""The sensor `alerts`: alerts on episodes, for people and other programs.

Belongs here: when alerts are sent, and what a tick reports. Not here: sending them
(`services.deliver_alerts`, `services.routed_alerts`).
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.arrivals import message_arrives
from usage_platform.adapters.kafka.topics import (
    EPISODE,
    KafkaUnreachableError,
    end_offsets,
    ensure_topics,
)
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.processes.ending import ENDING
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.alerts.alert import AlertSink
from usage_platform.defs.failures import error_line
from usage_platform.defs.idle_ticks import nothing_to_do
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.deliver_alerts import Delivered, Delivery
from usage_platform.services.sink_turn import SinkBusyError
from usage_platform.wiring.platform import Platform
from usage_platform.wiring.routed import Chosen, chosen_routes, routed_alerts
from usage_platform.wiring.sinks import HOW_TO_CONFIGURE, chosen_sinks

# The slowest request takes some 10 s more, and Dagster allows a tick 60.
_SECONDS = 30.0
_AWAITED_SECONDS = 10.0
"""So long a tick waits for episodes; between two ticks nobody does."""
_LINGER_SECONDS = 1.0
"""For so long episodes that follow the first one come along with it."""
_UNCONFIGURED = f"no alert sink is configured: {HOW_TO_CONFIGURE}"
_RETRIED = (KafkaUnreachableError, KafkaException, LakeError)


@dg.sensor(
    name="alerts",
    description="Sends an alert when an episode opens or closes, to each sink that the settings "
    "configure, or as `assets/alerts.yaml` of the lake routes it.",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def alerts(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """Send the alerts that are due, for at most 30 seconds, shared among the sinks.

    Waits for episodes for 10 seconds, and sends what they bring; then what is due by the clock.
    It starts no run: the tick's skip reason says what was sent. Alerts that could not be delivered
    are on the topic `alert_dead_letters`.
    """
    deployment = platform.deployment
    try:
        chosen = chosen_routes(deployment, datetime.now(UTC))
    except LakeError as error:
        return dg.SkipReason(_retry(error))
    if chosen is None and not chosen_sinks(deployment.settings):
        return nothing_to_do(_UNCONFIGURED)
    begun = time.monotonic()
    news: list[str] = []
    while True:
        ends = _episode_ends(deployment)
        earlier, said = list(news), []
        for line, is_news in _sent(deployment, chosen, begun + _SECONDS - time.monotonic()):
            said.append(line)
            if is_news and line not in news:
                news.append(line)
                context.log.info(line)
        left = begun + _AWAITED_SECONDS - time.monotonic()
        if ends is None or left <= 0:
            break
        if message_arrives(deployment.kafka, {EPISODE: ends}, left, ENDING):
            ENDING.wait(_LINGER_SECONDS)
        if ENDING.is_set():
            break
    return dg.SkipReason("; ".join(dict.fromkeys([*earlier, *said])))


def _episode_ends(deployment: Platform) -> dict[int, int] | None:
    """The end of each partition of `episode`; None where no broker says so."""
    try:
        return {p: end for p, (_, end) in end_offsets(deployment.kafka, EPISODE).items()}
    except KafkaUnreachableError:
        return None


def _sent(
    deployment: Platform, chosen: Chosen | None, seconds: float
) -> Iterator[tuple[str, bool]]:
    """Send what is due; yields a line for each sink, and whether it is worth a log."""
    if chosen is None:
        return _sent_to_all(deployment, seconds)
    return _routed(deployment, chosen, seconds)


def _sent_to_all(deployment: Platform, seconds: float) -> Iterator[tuple[str, bool]]:
    """Send each alert to each sink; yields as `_sent`."""
    sinks = chosen_sinks(deployment.settings)
    ends = time.monotonic() + seconds
    unexpected: list[Exception] = []
    for number, sink in enumerate(sinks):
        share = (ends - time.monotonic()) / (len(sinks) - number)
        try:
            done = _turn(deployment, sink, share)
        except SinkBusyError as error:
            yield f"{sink.name}: {error}", False
        except _RETRIED as error:
            yield f"{sink.name}: {_retry(error)}", False
        except Exception as error:
            # Whatever it is: the other sinks get their alerts before the tick fails.
            unexpected.append(error)
        else:
            yield f"{sink.name}: {_in_words(done)}", bool(done.sent or done.failed)
    if unexpected:
        raise unexpected[0]


def _routed(deployment: Platform, chosen: Chosen, seconds: float) -> Iterator[tuple[str, bool]]:
    """Send each alert where its route leads; yields as `_sent`."""
    for problem in chosen.problems:
        yield problem, True
    now = datetime.now(UTC)
    try:
        routed = routed_alerts(deployment, chosen, now)
        if not routed.targets:
            yield _UNCONFIGURED, False
            return
        for name, done in routed.turn(now, seconds):
            if isinstance(done, str):
                yield f"{name}: {_retry(done)}", True
            else:
                yield f"{name}: {_in_words(done)}", bool(done.sent or done.failed)
    except SinkBusyError as error:
        yield f"routes: {error}", False
    except _RETRIED as error:
        yield f"routes: {_retry(error)}", False


def _retry(error: Exception | str) -> str:
    said = error if isinstance(error, str) else error_line(error)
    return f"will retry at the next tick, nothing is lost: {said}"


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
