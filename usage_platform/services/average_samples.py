"""Samples to readings: consumes `samples`, publishes one reading per meter and interval on `usage`.

Belongs here: the loop of consuming and averaging, and one Kafka transaction for the readings, the
rejected samples and the offsets. Not here: what to publish (`core.samples.stage`), from where the
state is rebuilt (`sample_position`), when it runs (`defs`).

Its progress is the offsets of the consumer group, committed in the producer's transaction: a kill
at any time leaves either all results of a batch and its offsets, or none.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd
from confluent_kafka import Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.consuming import consume, has_reached, noting_ends
from usage_platform.adapters.kafka.producing import produce, within
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import (
    ANSWER_SECONDS,
    SAMPLE_REJECTS,
    SAMPLES,
    SAMPLES_GROUP,
    USAGE,
    KafkaSettings,
    offset_ranges,
    partitions_of,
)
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.meter_descriptions.samples import SampleDescriptions
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import kept_bytes, usage_messages
from usage_platform.core.readings.reject_reasons import KEPT_BYTES
from usage_platform.core.samples.stage import SampleStage
from usage_platform.services.offset_marks import Work, check_lake_of_stage
from usage_platform.services.sample_position import (
    SamplePosition,
    committed_position,
    rebuilt_stage,
    take_messages,
)
from usage_platform.services.sample_result import SampleTick, place_of
from usage_platform.services.score_fencing import (
    COMMITTED,
    TRANSACTION_TIMEOUT_MS,
    fenced_as_own_error,
    transactional_producer,
)

_BATCH = 10_000
_QUIET_SECONDS = 0.5


class AveragerFencedError(RuntimeError):
    """Another one averages the samples; one line that says what happens to the batch."""

    def __init__(self) -> None:
        super().__init__(
            "another process averages the samples now, or this one stood still for longer than the "
            f"{TRANSACTION_TIMEOUT_MS / 1000:.0f} s of a transaction: the next one reads again "
            "what this one did not commit"
        )


@dataclass(frozen=True)
class _Tick:
    """The arguments of a tick, its deadline by the monotonic clock, and its result so far."""

    descriptions: SampleDescriptions
    registry: MeterRegistry
    deadline: float
    result: SampleTick = field(default_factory=SampleTick)


class SampleAverager:
    """An averager with its connections, kept from tick to tick. Not thread-safe.

    Args:
        kafka: The brokers.
        lake: The lake whose meters' samples they are.
        clock: Gives the current time, seconds since 1970.

    Raises:
        OtherLakeError: When the samples are averaged for another lake.
    """

    def __init__(
        self, kafka: KafkaSettings, lake: Lake, clock: Callable[[], float] = time.time
    ) -> None:
        self._kafka = kafka
        self._clock = clock
        self._producer = transactional_producer(kafka, SAMPLES_GROUP)
        self._consumer = Consumer(kafka.client(**{"group.id": SAMPLES_GROUP, **COMMITTED}))
        self._lake_id = lake_id(lake)
        work = Work(SAMPLES, SAMPLES_GROUP, "averaged")
        check_lake_of_stage(kafka, self._lake_id, work)
        # Fences one that is still alive elsewhere: its transaction can no longer commit.
        with fenced_as_own_error(self._producer, AveragerFencedError):
            self._producer.init_transactions(ANSWER_SECONDS)
        self._assigned: list[TopicPartition] = []
        self._topic = ""
        self._consumed: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._stage = SampleStage()

    def tick(
        self, descriptions: SampleDescriptions, registry: MeterRegistry, seconds: float
    ) -> SampleTick:
        """Average what waits on the topic, until that is done or the time is up.

        Args:
            descriptions: How samples are read.
            registry: The known meters and the limits.
            seconds: Deadline of the tick; a batch that has begun is finished and committed.

        Raises:
            KafkaException: The averager must be closed and replaced; nothing is lost or doubled.
            AveragerFencedError: Another one has taken over; this one must be closed.
        """
        started = time.monotonic()
        tick = _Tick(descriptions, registry, started + seconds)
        # Before the ends: what the broker got by then is before them.
        now = int(self._clock() * 1e9)
        self._assign(tick)
        ranges = offset_ranges(self._consumer, self._assigned)
        ends = {partition: end for partition, (_, end) in ranges.items()}
        while not has_reached(ends, self._consumed, self._ended):
            messages = noting_ends(consume(self._consumer, _BATCH, _QUIET_SECONDS), self._ended)
            if messages:
                self._average(messages, tick)
            # After a batch: rebuilding the state may have taken all of the time.
            if time.monotonic() >= tick.deadline:
                break
        tick.result.is_caught_up = has_reached(ends, self._consumed, self._ended)
        if tick.result.is_caught_up:
            self._publish(self._stage.due_readings(now), [], tick)
        tick.result.seconds = time.monotonic() - started
        return tick.result

    def close(self) -> None:
        """Close the connections; the start of the next averager aborts an open transaction."""
        self._consumer.close()

    def _assign(self, tick: _Tick) -> None:
        """Assign every partition, new ones too, and rebuild the state if they are others."""
        partitions = partitions_of(self._consumer, self._kafka, SAMPLES)
        topic = topic_id(self._kafka, SAMPLES) or ""
        if len(partitions) == len(self._assigned) and topic == self._topic:
            return
        position = committed_position(self._consumer, partitions, topic)
        self._stage = rebuilt_stage(self._kafka, position, tick.descriptions, tick.registry)
        self._consumed, self._ended = dict(position.consumed), {}
        starts = [TopicPartition(SAMPLES, p, at) for p, at in position.consumed.items()]
        self._consumer.assign(starts)
        self._assigned, self._topic = partitions, topic
        tick.result.notices = position.notices

    def _average(self, messages: list[Message], tick: _Tick) -> None:
        taken = take_messages(self._stage, messages, tick.descriptions, tick.registry)
        for message in messages:
            self._consumed[message.partition() or 0] = (message.offset() or 0) + 1
        rejects = [
            (message, reason)
            for message, reason in zip(messages, taken.reasons, strict=True)
            if reason is not None
        ]
        tick.result.messages += len(messages)
        self._publish(self._stage.due_readings(), rejects, tick, has_consumed=True)

    def _publish(
        self,
        readings: pd.DataFrame,
        rejects: Sequence[tuple[Message, str]],
        tick: _Tick,
        has_consumed: bool = False,
    ) -> None:
        if not (has_consumed or len(readings)):
            return
        with fenced_as_own_error(self._producer, AveragerFencedError):
            self._commit(readings, rejects, tick.registry)
        tick.result.add_readings(readings)
        tick.result.add_rejects(rejects)

    def _commit(
        self,
        readings: pd.DataFrame,
        rejects: Sequence[tuple[Message, str]],
        registry: MeterRegistry,
    ) -> None:
        producer = self._producer
        producer.begin_transaction()
        put = partial(produce, producer, seconds=TRANSACTION_TIMEOUT_MS / 1000)
        for meter, value in zip(readings["meter"], usage_messages(readings), strict=True):
            put(USAGE, value, meter.encode())
        for message, reason in rejects:
            key = message.key()
            is_small = key is not None and len(key) <= KEPT_BYTES
            headers = [("reason", reason.encode()), ("place", place_of(message).encode())]
            value = kept_bytes(message.value(), registry.limits)
            put(SAMPLE_REJECTS, value, key if is_small else None, headers=headers)
        position = SamplePosition(self._consumed, self._stage.first_offsets(), self._stage.clock)
        offsets = position.offsets(self._topic, self._lake_id)
        group = self._consumer.consumer_group_metadata()
        # As in the scorer: the call ignores its own time limit when the coordinator goes away.
        within(
            ANSWER_SECONDS,
            lambda: producer.send_offsets_to_transaction(offsets, group, ANSWER_SECONDS),
        )
        producer.commit_transaction(ANSWER_SECONDS)
