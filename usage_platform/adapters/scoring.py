"""The streaming scorer: new events on `usage` in, odd ones on `anomaly` out, exactly once.

Belongs here: the loop consume, score, and one Kafka transaction for the anomalies, the dead letters
and the offsets. Not here: what is odd (`core.anomalies`), when it runs (the streaming sensor).

Its progress is the consumer group's offsets, committed inside the producer's transaction: a kill at
any moment leaves either all of a batch's results and its offsets, or none.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import pandas as pd
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from usage_platform.adapters.kafka_topics import (
    ANOMALY,
    DEAD_LETTERS,
    SCORER_GROUP,
    USAGE,
    KafkaSettings,
    messages_to_end,
    partitions_of,
)
from usage_platform.adapters.model_store import ModelStore
from usage_platform.core.anomalies import anomaly_messages, find_anomalies
from usage_platform.core.batch import RAW_COLUMNS, judge
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.model import Manifest
from usage_platform.core.wire import read_anomalies

TRANSACTIONAL_ID = "anomaly-scorer"
_BATCH = 20_000
_QUIET_SECONDS = 1.0
_CALL_SECONDS = 10.0
_TRANSACTION_TIMEOUT_MS = 60_000
# A broker that is started again is missing from the cluster for a moment; librdkafka then asks for
# the group's coordinator again only when some connection changes (confluentinc/librdkafka#5511).
# One that is closed when idle does.
_IDLE_MS = 5_000


@dataclass
class TickResult:
    """What one tick did, over all its batches.

    Attributes:
        events: Events consumed.
        scored: Readings a forest judged.
        learning: Readings from before the first model.
        thin: Readings in slots with too few comparables.
        rejected: Events that are no readings, put on the dead-letter topic.
        anomalies: Anomalies published.
        repeated: Anomalies found again and not published again.
        lag: Events that still wait on the topic.
        newest: Event time of the newest reading, None without any.
        versions: The model versions that judged.
    """

    events: int = 0
    scored: int = 0
    learning: int = 0
    thin: int = 0
    rejected: int = 0
    anomalies: int = 0
    repeated: int = 0
    lag: int = 0
    newest: pd.Timestamp | None = None
    versions: set[str] = field(default_factory=set)


class Scorer:
    """A scorer with its connections, kept from tick to tick. Not for several threads at once."""

    def __init__(self, kafka: KafkaSettings, store: ModelStore) -> None:
        self._kafka = kafka
        self._store = store
        self._producer = Producer(
            kafka.client(
                **{
                    "transactional.id": TRANSACTIONAL_ID,
                    "transaction.timeout.ms": _TRANSACTION_TIMEOUT_MS,
                    "compression.type": "lz4",
                    "linger.ms": 5,
                    "connections.max.idle.ms": _IDLE_MS,
                }
            )
        )
        # Fences a scorer that is still alive somewhere: its transaction can no longer commit.
        self._producer.init_transactions(_CALL_SECONDS)
        # Only now: until it is fenced, the other one may still tell some.
        self._published = _published_ids(kafka)
        self._consumer = Consumer(
            kafka.client(
                **{
                    "group.id": SCORER_GROUP,
                    "enable.auto.commit": False,
                    "isolation.level": "read_committed",
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 100,
                }
            )
        )
        self._assigned: list[TopicPartition] = []

    def tick(
        self,
        manifests: Sequence[Manifest],
        registry: MeterRegistry,
        seconds: float,
        listen: bool = True,
    ) -> TickResult:
        """Score what waits, until nothing does or the time is up.

        Args:
            manifests: The models, ascending; at least one.
            registry: The known meters.
            seconds: Deadline of the tick; a batch that was begun is finished.
            listen: Go on with events that come meanwhile; else end where the topic ends now, which
                a stream that never pauses would put off to the deadline.

        Raises:
            KafkaException: The scorer must be closed and made anew; nothing is lost or doubled.
        """
        deadline = time.monotonic() + seconds
        result = TickResult()
        self._assign()
        ends = None if listen else self._ends()
        while time.monotonic() < deadline and not self._has_reached(ends):
            messages = self._consumer.consume(_BATCH, timeout=_QUIET_SECONDS)
            good = [m for m in messages if m.error() is None]
            for error in filter(None, (m.error() for m in messages)):
                if not error.retriable():
                    raise KafkaException(error)
            if not good:
                break
            self._score(good, manifests, registry, result)
        result.lag = self._lag()
        return result

    def close(self) -> None:
        """Let go of the connections; an open transaction is aborted by the next scorer's start."""
        self._consumer.close()

    def _assign(self) -> None:
        """Take every partition of the topic, new ones too, each from its committed offset."""
        partitions = partitions_of(self._consumer, self._kafka, USAGE)
        if len(partitions) == len(self._assigned):
            return
        committed = self._consumer.committed(partitions, timeout=10)
        for partition in committed:
            if partition.offset == OFFSET_INVALID:
                partition.offset = OFFSET_BEGINNING
        self._consumer.assign(committed)
        self._assigned = partitions

    def _score(
        self,
        messages: list[Message],
        manifests: Sequence[Manifest],
        registry: MeterRegistry,
        result: TickResult,
    ) -> None:
        batch = judge(_raw_frame(messages), registry)
        scored = find_anomalies(
            batch.readings[["meter", "event_time", "value"]], manifests, self._store.load
        )
        new = scored.anomalies[~scored.anomalies["anomaly_id"].isin(self._published)]
        places = set(zip(batch.rejects["partition"], batch.rejects["offset"], strict=True))
        rejected = [m for m in messages if (m.partition(), m.offset()) in places]
        self._commit(new, anomaly_messages(new, registry), rejected)
        self._published.update(new["anomaly_id"])
        result.events += len(messages)
        result.scored += scored.scored
        result.learning += scored.learning
        result.thin += scored.thin
        result.rejected += len(rejected)
        result.anomalies += len(new)
        result.repeated += len(scored.anomalies) - len(new)
        result.versions.update(new["model_version"])
        if len(batch.readings):
            newest = batch.readings["event_time"].max()
            result.newest = newest if result.newest is None else max(result.newest, newest)

    def _commit(
        self, anomalies: pd.DataFrame, values: list[bytes], rejected: list[Message]
    ) -> None:
        producer = self._producer
        producer.begin_transaction()
        for meter, value in zip(anomalies["meter"], values, strict=True):
            producer.produce(ANOMALY, value, meter.encode())
        for message in rejected:
            producer.produce(DEAD_LETTERS, message.value(), message.key())
        positions = self._consumer.position(self._consumer.assignment())
        group = self._consumer.consumer_group_metadata()
        # librdkafka does not keep this call's own time limit when the coordinator goes away
        # (confluentinc/librdkafka#5456); it would hang until the process ends.
        _within(
            _CALL_SECONDS,
            lambda: producer.send_offsets_to_transaction(positions, group, _CALL_SECONDS),
        )
        producer.commit_transaction(_CALL_SECONDS)

    def _ends(self) -> dict[int, int]:
        """Where each partition ends in which events wait."""
        waiting = {}
        for partition in self._consumer.committed(self._assigned, timeout=10):
            low, high = self._consumer.get_watermark_offsets(partition, timeout=10)
            if high > max(partition.offset, low):
                waiting[partition.partition] = high
        return waiting

    def _has_reached(self, ends: Mapping[int, int] | None) -> bool:
        if ends is None:
            return False
        places = self._consumer.position([TopicPartition(USAGE, number) for number in ends])
        return all(place.offset >= ends[place.partition] for place in places)

    def _lag(self) -> int:
        return sum(
            max(self._consumer.get_watermark_offsets(p, timeout=10)[1] - max(p.offset, 0), 0)
            for p in self._consumer.committed(self._assigned, timeout=10)
        )


def _within(seconds: float, call: Callable[[], None]) -> None:
    """Make a call that may hang; one that does is left behind and counts as timed out.

    Raises:
        KafkaException: The call's own, or that it took too long.
    """
    outcome: Future[None] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True, name="kafka-call").start()
    try:
        outcome.result(seconds)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None


def _raw_frame(messages: list[Message]) -> pd.DataFrame:
    frame = pd.DataFrame(
        [(m.topic(), m.partition(), m.offset(), m.timestamp()[1], m.value()) for m in messages],
        columns=RAW_COLUMNS,
    )
    frame["kafka_time"] = pd.to_datetime(frame["kafka_time"], unit="ms", utc=True).astype(
        "datetime64[ns, UTC]"
    )
    return frame


def _published_ids(kafka: KafkaSettings) -> set[str]:
    """The ids of all anomalies on the topic: an event that comes twice is not told twice."""
    client = Consumer(
        kafka.client(
            **{
                "group.id": "anomaly-scorer-start",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
            }
        )
    )
    try:
        starts = [
            TopicPartition(ANOMALY, p.partition, OFFSET_BEGINNING)
            for p in partitions_of(client, kafka, ANOMALY)
        ]
        values = (message.value() for message in messages_to_end(client, starts))
        return {event["anomaly_id"] for event in read_anomalies(filter(None, values))}
    finally:
        client.close()
