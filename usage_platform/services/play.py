"""Playback: readings put on the topic `usage`, in event order, at a pace, from where it stopped.

Belongs here: the producer and its resume point, which is the topic itself. Not here: which reading
is due when (`core.readings.pacing`).
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)

from usage_platform.adapters.kafka.playback_lease import PlaybackError
from usage_platform.adapters.kafka.topics import (
    USAGE,
    KafkaSettings,
    messages_to_end,
    partitions_of,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import parse_usage, usage_messages
from usage_platform.core.readings.pacing import Pace, bursts

_SOURCE_HEADER = "source"
Headers = list[tuple[str, str | bytes | None]]
_TAIL = 2_000
_LONGEST_SLEEP = 1.0
_LAST_SECONDS = 10.0


def _fingerprint(source: str) -> bytes:
    return hashlib.sha256(source.encode()).hexdigest()[:16].encode()


@dataclass
class PlaybackProgress:
    """How far a run of the playback is.

    Attributes:
        sent: Readings the broker has acknowledged or that wait for it.
        total: Readings to play in this run.
        event_time: The newest of them, None before the first.
        started: Monotonic seconds at the start.
    """

    total: int
    sent: int = 0
    event_time: pd.Timestamp | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started


def play(
    kafka: KafkaSettings,
    readings: pd.DataFrame,
    source: str,
    pace: Pace,
    report: Callable[[PlaybackProgress], None],
    may_go_on: Callable[[], None] = lambda: None,
) -> PlaybackProgress:
    """Put readings on the topic `usage` at their pace; returns once the broker has them all.

    Args:
        kafka: The brokers.
        readings: `meter`, `ts`, `value`, as `core.readings.pacing.remaining` returns them.
        source: Which source they are of, as for `last_played`.
        pace: How fast.
        report: Told after each burst.
        may_go_on: Asked before each burst, and each second of the time between two; what it raises
            ends the playback.

    Raises:
        PlaybackError: When the broker refuses events for good. Being out of reach is waited out.
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
                # A broker that is restarted is waited for; nothing is given up.
                "message.timeout.ms": 0,
                "delivery.report.only.error": True,
            }
        ),
    )
    headers: Headers = [(_SOURCE_HEADER, _fingerprint(source))]
    progress = PlaybackProgress(total=len(readings))
    try:
        for burst in bursts(readings, pace):
            _sleep_until(progress, burst.due, producer, may_go_on)
            _send(producer, burst.rows, headers, delivered)
            progress.sent += len(burst.rows)
            progress.event_time = burst.rows["ts"].iloc[-1]
            _raise_failures(failures)
            report(progress)
    except BaseException:
        # Whoever stops a playback does not wait for a broker that is away; the next run sees on the
        # topic what has come through.
        producer.flush(_LAST_SECONDS)
        raise
    producer.flush()
    _raise_failures(failures)
    return progress


def _sleep_until(
    progress: PlaybackProgress, due: float, producer: Producer, may_go_on: Callable[[], None]
) -> None:
    may_go_on()
    while (left := due - progress.seconds) > 0:
        producer.poll(min(left, _LONGEST_SLEEP))
        may_go_on()


def _send(
    producer: Producer,
    rows: pd.DataFrame,
    headers: Headers,
    delivered: Callable[[KafkaError | None, Message], None],
) -> None:
    keys = {meter: meter.encode() for meter in rows["meter"].unique()}
    for meter, message in zip(rows["meter"], usage_messages(rows), strict=True):
        while True:
            try:
                producer.produce(
                    USAGE, message, keys[meter], on_delivery=delivered, headers=headers
                )
            except BufferError:
                producer.poll(0.1)
            else:
                break
    producer.poll(0)


def _raise_failures(failures: list[KafkaError]) -> None:
    if failures:
        raise PlaybackError(
            f"topic {USAGE}: the broker refused {len(failures)} events: {failures[0].str()}"
        )


def last_played(
    kafka: KafkaSettings, source: str, meters: set[str], registry: MeterRegistry
) -> dict[str, pd.Timestamp]:
    """Each meter's newest reading of a source on the topic: where its playback goes on.

    Looks back from the end, further and further, until each meter was found or nothing is left.
    Events of other sources and of other programs do not count, whatever their meter and time.

    Args:
        kafka: The brokers.
        source: Which source; playback puts its fingerprint into a header of each event.
        meters: Names of the meters to look for.
        registry: For naive times and nameless events.

    Returns:
        UTC instants by meter; a meter of which nothing was played is missing.
    """
    client = Consumer(
        kafka.client(
            **{
                "group.id": "usage-platform-playback",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
    )
    try:
        found: dict[str, pd.Timestamp] = {}
        ends = [
            (p.partition, *client.get_watermark_offsets(p, timeout=10))
            for p in partitions_of(client, kafka, USAGE)
        ]
        longest = max((high - low for _, low, high in ends), default=0)
        back = _TAIL
        # All partitions each time: a meter's events move to another one when partitions are added.
        while longest and not meters <= set(found):
            for partition, low, high in ends:
                start = max(low, high - back)
                tail = _newest_in(client, partition, start, _fingerprint(source), registry)
                for meter in meters & set(tail):
                    found[meter] = max(tail[meter], found.get(meter, tail[meter]))
            if back >= longest:
                break
            back *= 8
        return found
    finally:
        client.close()


def _newest_in(
    client: Consumer, partition: int, start: int, source: bytes, registry: MeterRegistry
) -> dict[str, pd.Timestamp]:
    from_here = TopicPartition(USAGE, partition, start if start else OFFSET_BEGINNING)
    messages = [
        message
        for message in messages_to_end(client, [from_here])
        if (_SOURCE_HEADER, source) in (message.headers() or ())
    ]
    received = pd.to_datetime([m.timestamp()[1] for m in messages], unit="ms", utc=True)
    events = parse_usage([m.value() for m in messages], pd.Series(received), registry)
    good = events[events["reason"].isna()]
    newest = good.groupby("meter")["event_time"].max()
    return {str(meter): ts for meter, ts in newest.items()}
