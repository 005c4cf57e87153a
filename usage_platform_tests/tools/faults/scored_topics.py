"""What a scorer wrote, finished by another one and judged; for all rounds that disturb scoring."""

import json
import time
from collections.abc import Hashable, Sequence
from contextlib import closing

from confluent_kafka import KafkaException, Message

from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    EPISODE,
    USAGE,
    KafkaSettings,
    KafkaUnreachableError,
    end_offsets,
)
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services.progress import scoring_lag
from usage_platform.services.score import Scorer
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.history import Attempt, Record, check
from usage_platform_tests.tools.faults.judge_of_rounds import (
    OUTPUTS,
    REGISTRY,
    expected_outputs,
    timeline,
)
from usage_platform_tests.topics import SLOW_MACHINE_SECONDS, read_events

_IDS = {ANOMALY: "anomaly_id", EPISODE: "event_id"}
_TICK_SECONDS = 20.0
_BETWEEN_TICKS_S = 0.5


def score_all(kafka: KafkaSettings, lake: Lake) -> None:
    """Score until nothing waits, as the sensor does: after a failure with a new scorer."""
    deadline = time.monotonic() + SLOW_MACHINE_SECONDS
    while True:
        try:
            with closing(Scorer(kafka, LakeReader(lake))) as scorer:
                if scorer.tick(TickRequest(timeline(), REGISTRY, _TICK_SECONDS)).lag == 0:
                    return
        except (KafkaException, KafkaUnreachableError, ScorerFencedError):
            assert time.monotonic() < deadline, "scoring never goes on"
        time.sleep(_BETWEEN_TICKS_S)


def judged_topics(
    kafka: KafkaSettings, events: EventStream, attempts: Sequence[Attempt]
) -> Findings:
    """Judge what can be read as committed now, whether all is scored or not.

    Args:
        kafka: The brokers.
        events: What is on `usage`.
        attempts: The transactions that were disturbed.
    """
    # One partition has all of them.
    consumed = sum(end for _, end in end_offsets(kafka, USAGE).values()) - scoring_lag(kafka)
    return check(expected_outputs(events, consumed), records(kafka), attempts, consumed)


def records(kafka: KafkaSettings) -> list[Record]:
    """What a reader of committed records gets of all topics that a scorer writes to."""
    return [
        Record((topic, m.partition() or 0, m.offset() or 0), _said(topic, m))
        for topic in OUTPUTS
        for m in read_events(kafka, topic)
    ]


def _said(topic: str, message: Message) -> Hashable:
    value = message.value() or b""
    return topic, json.loads(value)[_IDS[topic]] if topic in _IDS else value
