"""The playback in the rounds: how it goes on, and what must be on the topic afterwards."""

from collections.abc import Callable

import pandas as pd

from usage_platform.adapters.kafka.playback_position import played_since
from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace, remaining
from usage_platform.services.play import PlaybackProgress, play
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings, compare
from usage_platform_tests.topics import read_events

SOURCE = "rounds"
AT_ONCE = Pace(accelerator=AS_FAST_AS_POSSIBLE)
_SECONDS_A_READING = 0.01


def slow(meter: Meter) -> Pace:
    """A reading each 10 ms."""
    return Pace(accelerator=meter.interval_minutes * 60 / _SECONDS_A_READING)


def go_on(
    kafka: KafkaSettings,
    readings: pd.DataFrame,
    registry: MeterRegistry,
    pace: Pace,
    report: Callable[[PlaybackProgress], None] = lambda progress: None,
) -> None:
    """Play what the topic does not hold yet, as a run of the playback does."""
    last = played_since(kafka, {SOURCE}, {}, registry).last
    play(kafka, remaining(readings, last, None, None), SOURCE, pace, report)


def judged_usage(kafka: KafkaSettings, events: EventStream) -> Findings:
    """Compare the topic `usage` with the events, in their order."""
    found = [message.value() for message in read_events(kafka, USAGE)]
    findings = compare("event", events.payloads, found)
    if findings.is_clean and found != events.payloads:
        return Findings(wrong=("the events are not in their order",))
    return findings
