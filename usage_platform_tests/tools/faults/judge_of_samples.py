"""What the simulated devices sent to `samples`, and the readings that must come of it.

Belongs here: putting samples on the topic, and judging the topics and the table. Not here: what is
disturbed meanwhile (`rounds_of_samples`, `rounds_of_clock`).
"""

import json
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from confluent_kafka import Message, Producer, TopicPartition

from usage_platform.adapters.kafka.topics import (
    SAMPLE_REJECTS,
    SAMPLES,
    SAMPLES_GROUP,
    USAGE,
    KafkaSettings,
)
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.services.offset_marks import reader_of_offsets
from usage_platform_tests.core.samples.oracle import Sample, expected_readings
from usage_platform_tests.services.simulated_devices import (
    METERS,
    REGISTRY,
    device_messages,
    expected,
    measured,
)
from usage_platform_tests.tools.faults.findings import Findings, compare
from usage_platform_tests.tools.faults.history import Attempt, Record, check
from usage_platform_tests.topics import SLOW_MACHINE_SECONDS, read_events

_BAD_EVERY = 90

Reading = tuple[str, pd.Timestamp]


class SentSamples:
    """Messages on `samples`, some of them bad, and what each one means.

    Attributes:
        bad: Those that are no samples.
    """

    def __init__(self) -> None:
        self.bad: list[bytes] = []
        self._put = 0
        self._rows: list[tuple[str, Sample] | bytes] = []

    @property
    def newest(self) -> pd.Timestamp:
        """When the last one was measured."""
        return measured()[self._put - 1][0]

    def put_half(self, kafka: KafkaSettings) -> None:
        """Put the next half of what the devices measure on the topic, some bad ones among it."""
        everything = [*zip(measured(), device_messages(), strict=True)]
        half = (len(everything) + 1) // 2
        producer = Producer(kafka.client(**{"enable.idempotence": True}))
        for (ts, meter, value), (_, text) in everything[self._put : self._put + half]:
            self._put += 1
            if self._put % _BAD_EVERY == 0:
                self.bad.append(b"no sample, message %d" % self._put)
                self._rows.append(self.bad[-1])
                producer.produce(SAMPLES, self.bad[-1], meter.encode())
            self._rows.append((meter, (ts, value)))
            producer.produce(SAMPLES, text.encode(), meter.encode())
        assert producer.flush(SLOW_MACHINE_SECONDS) == 0

    def judged(self, kafka: KafkaSettings, attempts: Sequence[Attempt]) -> Findings:
        """Judge what can be read as committed, by the offset that the averager committed."""
        with reader_of_offsets(kafka, SAMPLES_GROUP) as client:
            [done] = client.committed([TopicPartition(SAMPLES, 0)], timeout=SLOW_MACHINE_SECONDS)
        read = [
            Record((topic, m.partition() or 0, m.offset() or 0), _said(topic, m))
            for topic in (USAGE, SAMPLE_REJECTS)
            for m in read_events(kafka, topic)
        ]
        return check(self._due(done.offset), read, attempts, done.offset)

    def _due(self, until_offset: int) -> list[tuple[str, Hashable]]:
        """What must have been published of the samples before an offset, while no time passes."""
        own: dict[str, list[Sample]] = defaultdict(list)
        told: list[tuple[str, Hashable]] = []
        for row in self._rows[:until_offset]:
            if isinstance(row, bytes):
                told.append((SAMPLE_REJECTS, row))
            else:
                own[row[0]].append(row[1])
        for meter, samples in own.items():
            described = REGISTRY.get(meter)
            interval = pd.Timedelta(minutes=described.interval_minutes)
            found = expected_readings(samples, described, METERS[meter])
            told += [(USAGE, key) for key in found if key[1] + interval <= samples[-1][0]]
        return told


def _said(topic: str, message: Message) -> tuple[str, Hashable]:
    value = message.value() or b""
    return topic, _reading(value)[0] if topic == USAGE else value


def _reading(value: bytes) -> tuple[Reading, float]:
    event = json.loads(value)
    return (event["meter"], pd.Timestamp(event["ts"])), event["value"]


def judged_topics(kafka: KafkaSettings, rejects: Sequence[bytes]) -> Findings:
    """Compare the topics with the readings that pandas computes from all samples."""
    on_topic = [_reading(message.value() or b"") for message in read_events(kafka, USAGE)]
    bad = [message.value() for message in read_events(kafka, SAMPLE_REJECTS)]
    readings = judged_readings("reading on the topic", expected(), on_topic)
    return readings + compare("rejected sample", rejects, bad)


def judged_table(lake: Lake) -> Findings:
    """Compare the table `readings` with them."""
    rows = LakeReader(lake).rows(READINGS, ["meter", "event_time", "value"])
    in_table = [((meter, at), value) for meter, at, value in rows.itertuples(index=False)]
    return judged_readings("reading in the table", expected(), in_table)


def judged_readings(
    name: str, wanted: Mapping[Reading, float], found: Sequence[tuple[Reading, float]]
) -> Findings:
    """Compare readings by meter and start, and their means to nine digits."""
    differing = tuple(
        f"{name} {key}: expected {wanted[key]}, got {value}"
        for key, value in found
        # The oracle adds in another order.
        if key in wanted and not np.isclose(value, wanted[key], rtol=1e-9, atol=1e-9)
    )
    return compare(name, [*wanted], (key for key, _ in found)) + Findings(wrong=differing)
