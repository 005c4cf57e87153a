"""Playback: publishes readings on the topic `usage`, in event order, at a pace.

Belongs here: the producer, and waiting until a reading is due. Not here: which reading is due when
(`core.readings.pacing`), which ones remain (`playback_plan`).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
from confluent_kafka import KafkaError, Message, Producer

from usage_platform.adapters.kafka.playback_position import source_header
from usage_platform.adapters.kafka.producing import Delivered, Headers, produce
from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.core.readings.messages import usage_messages
from usage_platform.core.readings.pacing import Pace, bursts

_LONGEST_SLEEP = 1.0
_LAST_SECONDS = 10.0


class PlaybackError(RuntimeError):
    """The broker refused events permanently; one line with its reason."""


@dataclass
class PlaybackProgress:
    """How far a playback run has come.

    Attributes:
        total: Readings to publish in this run.
        sent: Readings that the broker has acknowledged, or that are on their way to it.
        event_time: The newest of those, UTC; None before the first.
        started: Monotonic seconds at the start.
    """

    total: int
    sent: int = 0
    event_time: pd.Timestamp | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started


def play(
    kafka: KafkaSettings,
    readings: pd.DataFrame,
    source: str,
    pace: Pace,
    report: Callable[[PlaybackProgress], None],
    check: Callable[[], None] = lambda: None,
) -> PlaybackProgress:
    """Publish readings on the topic `usage` at a pace; returns once the broker has them all.

    Args:
        kafka: The brokers.
        readings: `meter`, `ts`, `value`, as `core.readings.pacing.remaining` returns them.
        source: Identifies their source, as for `source_header`.
        pace: How fast.
        report: Called after each burst.
        check: Called before each burst, and each second between two; an exception of it ends the
            playback.

    Raises:
        PlaybackError: When the broker refuses events permanently. A broker that is unreachable is
            waited for.
    """
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer(
        kafka.client(
            **{
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 50,
                "queue.buffering.max.messages": 500_000,
                # Wait for a broker that restarts: no event may expire.
                "message.timeout.ms": 0,
                "delivery.report.only.error": True,
            }
        ),
    )
    headers: Headers = [source_header(source)]
    progress = PlaybackProgress(total=len(readings))
    try:
        for burst in bursts(readings, pace):
            _sleep_until(progress, burst.due, producer, check)
            _send(producer, burst.rows, headers, delivered)
            progress.sent += len(burst.rows)
            progress.event_time = burst.rows["ts"].iloc[-1]
            _raise_failures(failures)
            report(progress)
    except BaseException:
        # Stopping a playback does not wait for an unreachable broker; the next run reads from the
        # topic what has arrived.
        producer.flush(_LAST_SECONDS)
        raise
    producer.flush()
    _raise_failures(failures)
    return progress


def _sleep_until(
    progress: PlaybackProgress, due: float, producer: Producer, check: Callable[[], None]
) -> None:
    check()
    while (left := due - progress.seconds) > 0:
        producer.poll(min(left, _LONGEST_SLEEP))
        check()


def _send(
    producer: Producer,
    rows: pd.DataFrame,
    headers: Headers,
    delivered: Delivered,
) -> None:
    keys = {meter: meter.encode() for meter in rows["meter"].unique()}
    for meter, message in zip(rows["meter"], usage_messages(rows), strict=True):
        produce(producer, USAGE, message, keys[meter], math.inf, headers, delivered)
    producer.poll(0)


def _raise_failures(failures: list[KafkaError]) -> None:
    if failures:
        raise PlaybackError(
            f"topic {USAGE}: the broker refused {len(failures)} events: {failures[0].str()}"
        )
