"""The streaming scorer: consumes events of `usage`, publishes anomalies exactly once.

Belongs here: the loop of consuming and scoring. Not here: what to publish
(`core.anomalies.stream`), the transaction (`score_transaction`), restoring the state
(`score_state`), when it runs (`score_tick`).

Its progress is the offsets of the consumer group, committed in the producer's transaction: a kill
at any time leaves either all results of a batch and its offsets, or none.
"""

import time
from collections import ChainMap
from collections.abc import Iterable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, Message, TopicPartition

from usage_platform.adapters.kafka.consuming import (
    LINGER_SECONDS,
    consume,
    has_reached,
    noting_ends,
)
from usage_platform.adapters.kafka.events import raw_frame
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import (
    SCORER_GROUP,
    USAGE,
    KafkaSettings,
    partitions_of,
)
from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.processes.ending import ENDING
from usage_platform.adapters.processes.freed_memory import return_freed_memory
from usage_platform.core.anomalies.anomaly import no_anomalies
from usage_platform.core.anomalies.stream import ScorerState
from usage_platform.core.readings.validation import Batch, validate_events
from usage_platform.core.time.units import NS_A_MILLISECOND
from usage_platform.services.offset_marks import Work, check_lake_of_stage, offset_mark
from usage_platform.services.score_division import WHOLE, Share, entered
from usage_platform.services.score_fencing import COMMITTED
from usage_platform.services.score_meters import Claim, OwnMeters
from usage_platform.services.score_portions import (
    Pace,
    first_offsets,
    held_offsets,
    is_held,
    portions,
)
from usage_platform.services.score_position import (
    scored_until,
    start_of_scoring,
    unscored,
    waiting_ends,
)
from usage_platform.services.score_result import TickResult
from usage_platform.services.score_silence import SilenceRule, consumed_until
from usage_platform.services.score_state import restored
from usage_platform.services.score_transaction import (
    OutputMessage,
    ScorerTransactions,
    output_messages,
)
from usage_platform.services.tick_request import TickRequest

_BATCH = 20_000
_QUIET_SECONDS = 1.0
# A batch costs about the same for one event as for some hundred: it waits for others to come along
# so long that batches take a fifth of the time at most.
_LINGER_SHARE = 4.0


@dataclass(frozen=True)
class _Tick:
    """A tick, its deadline by the monotonic clock, and its result so far."""

    request: TickRequest
    deadline: float
    result: TickResult = field(default_factory=TickResult)


class Scorer:
    """A scorer with its connections, kept from tick to tick. Not thread-safe."""

    def __init__(
        self,
        kafka: KafkaSettings,
        reader: LakeReader,
        share: Share = WHOLE,
        claim: Claim | None = None,
    ) -> None:
        """Take over from whoever scored these partitions before.

        Args:
            kafka: The brokers.
            reader: The lake's tables.
            share: Which partitions are this scorer's. The first scorer begins a division that has
                no name yet; others join one that has begun.
            claim: Claims meters among several scorers; needed by each of them.

        Raises:
            ScorerFencedError: Another division has begun.
            OtherLakeError: The broker serves another lake.
        """
        self._kafka = kafka
        self._reader = reader
        self._meters = AdmittedMeters(reader.lake)
        self._transactions = ScorerTransactions(kafka, share.number)
        self._consumer = Consumer(kafka.client(**{"group.id": SCORER_GROUP, **COMMITTED}))
        self._lake_id = lake_id(reader.lake)
        check_lake_of_stage(kafka, self._lake_id, Work(USAGE, SCORER_GROUP, "scored"))
        self._transactions.take_over()
        self.share = entered(share, kafka, self._consumer, self._transactions, self._lake_id)
        self._own_meters = OwnMeters(claim) if claim else None
        self._assigned: list[TopicPartition] = []
        self._of_others: list[TopicPartition] = []
        self._topic = ""
        self._consumed: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._appended: dict[int, int] = {}
        self._memory: ScorerState | None = None
        self._pace = Pace()

    def tick(self, request: TickRequest) -> TickResult:
        """Score what waits, and what arrives meanwhile if asked to, until the time is up.

        Raises:
            KafkaException: The scorer must be closed and replaced; nothing is lost or duplicated.
            ScorerFencedError: Another one has taken over; this one must be closed.
        """
        started = time.monotonic()
        tick = _Tick(request, started + request.seconds)
        result = tick.result
        self._assign(result)
        if request.listen and self._assigned:
            # Restoring it takes a while, and the first event may come late in the tick.
            self._state(tick)
        place = (self._consumer, self._assigned, self._topic)
        ends = None if request.listen else waiting_ends(*place)
        linger = LINGER_SECONDS
        while time.monotonic() < tick.deadline and not ENDING.is_set():
            if ends is not None and has_reached(ends, self._consumed, self._ended):
                break
            wait = min(_QUIET_SECONDS, max(tick.deadline - time.monotonic(), 0.0))
            arrived = consume(self._consumer, _BATCH, wait, linger)
            began = time.monotonic()
            messages = noting_ends(arrived, self._ended)
            goes_on = not messages or self._score(messages, tick)
            self._pass_markers()
            if not goes_on or not (arrived or request.listen):
                break
            linger = max(LINGER_SECONDS, _LINGER_SHARE * (time.monotonic() - began))
        if request.silence is not None:
            self._report_silence(request.silence, tick)
        result.lag = unscored(*place)
        return_freed_memory()
        result.seconds = time.monotonic() - started
        return result

    def close(self) -> None:
        """Close the connections; the start of the next scorer aborts an open transaction."""
        self._consumer.close()

    def _assign(self, result: TickResult) -> None:
        """Assign its partitions, new ones too; a topic that was created again from its start."""
        everything = partitions_of(self._consumer, self._kafka, USAGE)
        partitions = self.share.of(everything)
        self._of_others = [one for one in everything if one not in partitions]
        topic = topic_id(self._kafka, USAGE) or ""
        if len(partitions) == len(self._assigned) and topic == self._topic:
            return
        if topic != self._topic:
            self._memory = None
            self._consumed, self._appended, self._ended = {}, {}, {}
        start = start_of_scoring(self._consumer, partitions, topic)
        self._consumer.assign(start.positions)
        self._assigned, self._topic = partitions, topic
        self._consumed.update({p.partition: max(p.offset, 0) for p in start.positions})
        result.notice = start.notice

    def _pass_markers(self) -> None:
        """Commit ends of partitions behind the last event: markers of transactions lie between."""
        passed = {p: end for p, end in self._ended.items() if end > self._consumed.get(p, 0)}
        if passed:
            self._consumed.update(passed)
            self._commit()

    def _score(self, messages: list[Message], tick: "_Tick") -> bool:
        """Score some events; returns False if some of them are left for later."""
        memory = self._state(tick)
        batch = self._validated(messages, tick)
        if self._own_meters:
            self._own_meters.take(batch.readings)
        held: dict[int, int] = {}
        # Of repeated events only the newest is in the batch, until that one is held back.
        while more := held_offsets(batch, tick.request.horizon):
            held |= more
            messages = [m for m in messages if not is_held(m, held)]
            batch = self._validated(messages, tick)
        for partition, offset in held.items():
            tick.result.waits_for = tick.request.horizon
            self._go_back(partition, offset)
        newest = memory.history.newest
        parts = portions(messages, batch.readings, newest, self._pace.most_work)
        for number, (part, work) in enumerate(parts):
            started = time.monotonic()
            if number and started >= tick.deadline:
                left = [message for part, _ in parts[number:] for message in part]
                for partition, offset in first_offsets(left).items():
                    self._go_back(partition, offset)
                return False
            whole = batch if len(parts) == 1 else self._validated(part, tick)
            self._score_portion(part, whole, memory, tick)
            self._pace.took(work, time.monotonic() - started)
        return bool(messages) and not held

    def _validated(self, messages: list[Message], tick: "_Tick") -> Batch:
        return validate_events(raw_frame(messages), tick.request.registry, self._meters.admit)

    def _go_back(self, partition: int, offset: int) -> None:
        """Have the messages from an offset on consumed again."""
        self._ended.pop(partition, None)
        self._consumer.seek(TopicPartition(USAGE, partition, offset))

    def _score_portion(
        self, messages: list[Message], batch: Batch, memory: ScorerState, tick: "_Tick"
    ) -> None:
        registry = tick.request.registry
        for message in messages:
            partition = message.partition() or 0
            self._consumed[partition] = (message.offset() or 0) + 1
            self._appended[partition] = message.timestamp()[1] * NS_A_MILLISECOND
        output = memory.process(
            batch.readings[["meter", "event_time", "value"]],
            tick.request.timeline,
            registry,
        )
        memory.silence.add(batch.readings, registry)
        positions = set(zip(batch.rejects["partition"], batch.rejects["offset"], strict=True))
        rejected = [m for m in messages if (m.partition(), m.offset()) in positions]
        self._commit(output_messages(output.anomalies, output.episodes, rejected, registry))
        tick.result.offsets = dict(self._consumed)
        tick.result.add(output, len(messages), len(rejected))
        tick.result.reach(batch.readings["event_time"].max())

    def _report_silence(self, rule: SilenceRule, tick: "_Tick") -> None:
        """Publish which meters have become silent, in a transaction of its own."""
        # Before the ends are read: an event that is appended in between then counts as missing.
        clock = rule.clock()
        waiting = waiting_ends(self._consumer, self._assigned, self._topic)
        now = consumed_until(clock, waiting, self._appended)
        if now is None:
            return
        registry, least = tick.request.registry, rule.least.value
        events = self._state(tick).report_silence(now, least, registry, rule.played_to)
        if self._own_meters:
            place = self._assigned[0].partition
            events = [one for one in events if self._own_meters.may_report(one.meter, place)]
        if events:
            self._commit(output_messages(no_anomalies(), events, [], registry))
            tick.result.episodes += len(events)
            tick.result.silent += len(events)

    def _state(self, tick: "_Tick") -> ScorerState:
        if self._memory is None:
            done = scored_until(self._consumer, self._of_others, self._topic)
            self._memory, others = restored(
                self._kafka,
                self._reader,
                tick.request.registry,
                ChainMap(self._consumed, done),
                self.share.owns if self._own_meters else None,
            )
            if self._own_meters:
                self._own_meters.leave_out(others)
        return self._memory

    def _commit(self, messages: Iterable[OutputMessage] = ()) -> None:
        mark = offset_mark(self._topic, self._lake_id, str(self.share.division))
        positions = [TopicPartition(USAGE, p, at, mark) for p, at in self._consumed.items()]
        self._transactions.commit(self._consumer, positions, messages)
