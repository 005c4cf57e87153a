"""The judge of a running platform, which does not stand still: topics and tables by their source.

Belongs here: comparing both with the source as far as each has come. Not here: what disturbs the
platform (`rounds_of_stack`, `rounds_of_topics`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE, KafkaSettings
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.anomalies.anomaly import PUBLISHED, find_anomalies
from usage_platform.core.anomalies.episode_messages import (
    EpisodeEvent,
    EpisodeStatus,
    episode_events,
)
from usage_platform.core.anomalies.message_parsing import (
    anomalies_from_messages,
    parse_episode_event,
)
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.rescore import standing
from usage_platform_tests.e2e.running_platform import RunningPlatform
from usage_platform_tests.tools.faults.findings import Findings, compare
from usage_platform_tests.tools.faults.tables import judged_rows
from usage_platform_tests.topics import read_events

_SETTLED = pd.Timedelta(hours=3)


def judged_platform(
    stack: RunningPlatform,
    strays: Sequence[bytes] = (),
    rejects: Sequence[tuple[str, bytes]] = (),
) -> Findings:
    """Compare topics and tables with the source, as far as each has come by now.

    Args:
        stack: The platform; its source was played once.
        strays: What somebody else put on its topics.
        rejects: What of it must be in the table `rejects`, with its topic.
    """
    events = [event for event in _read(stack.deployment.kafka, USAGE) if event not in strays]
    source = stack.deployment.source_cache.readings()
    judged = _judged_tables(stack, rejects, _told_once)
    return judged + compare("event", usage_messages(source.iloc[: len(events)]), events)


def judged_replayed_platform(stack: RunningPlatform) -> Findings:
    """The same where `usage` was created again while the source was played.

    What the playback put on the new topic before it ended comes first, then all of the source.
    """
    events = _read(stack.deployment.kafka, USAGE)
    source = usage_messages(stack.deployment.source_cache.readings())
    replayed = next((n for n, event in enumerate(events) if event == source[0]), len(events))
    before, after = events[:replayed], events[replayed:]
    begin = source.index(before[0]) if before else 0
    return (
        _judged_tables(stack, (), _told_last)
        + compare("event before the replay", source[begin : begin + len(before)], before)
        + compare("event of the replay", source[: len(after)], after)
    )


def has_replayed_all(stack: RunningPlatform) -> bool:
    """Whether a replay has come to where the readings of the table end, so that none is missing."""
    readings = stack.deployment.reader.rows(READINGS, ["event_time"])
    source = stack.deployment.source_cache.readings()
    return source["ts"].iloc[len(readings) - 1] == readings["event_time"].max()


def _told_once(messages: pd.DataFrame) -> pd.DataFrame:
    """Nothing comes late or is corrected: each anomaly is told of once and stays."""
    return messages


def _told_last(messages: pd.DataFrame) -> pd.DataFrame:
    """What comes late changes what follows it: the last message of each anomaly counts."""
    last = messages.drop_duplicates("anomaly_id", keep="last")
    return last[last["status"] == PUBLISHED]


def _judged_tables(
    stack: RunningPlatform,
    rejects: Sequence[tuple[str, bytes]],
    stands: Callable[[pd.DataFrame], pd.DataFrame],
) -> Findings:
    deployment = stack.deployment
    reader, registry = deployment.reader, deployment.registry()
    source = deployment.source_cache.readings()
    # Before the readings: these may only be further by the time they are read.
    kept = standing(reader)
    told = stands(anomalies_from_messages(_read(deployment.kafka, ANOMALY)))
    parsed = map(parse_episode_event, _read(deployment.kafka, EPISODE))
    episodes = [event for event in parsed if event is not None]
    ids = [event.event_id for event in episodes]
    hours = reader.rows(USAGE_HOURLY, HOURLY_COLUMNS)
    columns = ["meter", "event_time", "value"]
    readings = reader.rows(READINGS, columns).sort_values("event_time", ignore_index=True)
    played = source.iloc[: len(readings)].rename(columns={"ts": "event_time"})
    settled = hours["start"].max() - _SETTLED
    expected = hourly_from_readings(readings, registry)
    odd = find_anomalies(readings, deployment.timeline(), registry).anomalies
    newest = readings["event_time"].max()
    return (
        judged_rows("readings", played[columns], readings, 2)
        + judged_rows(
            "usage_hourly",
            expected[expected["start"] < settled],
            hours[hours["start"] < settled],
            2,
        )
        + _judged_rejects(reader.rows(REJECTS, ["topic", "raw"]), rejects)
        + compare("anomaly in the table", *_ids_as_far_as_both(odd, kept, newest))
        + compare("anomaly on the topic", *_ids_as_far_as_both(odd, told, newest))
        + compare("episode event", set(ids), ids)
        + compare("closed episode", *_closed_as_far_as_both(odd, episodes, settled, registry))
    )


def _judged_rejects(rows: pd.DataFrame, rejects: Sequence[tuple[str, bytes]]) -> Findings:
    found = [(topic, raw or b"") for topic, raw in rows.itertuples(index=False)]
    findings = compare("reject", rejects, found)
    # Of `episode` they are looked for when a run of the micro-batch ends, up to ten minutes later.
    lost = tuple(line for line in findings.lost if not line.startswith(f"reject ('{EPISODE}'"))
    return replace(findings, lost=lost)


def _read(kafka: KafkaSettings, topic: str) -> list[bytes]:
    return [message.value() or b"" for message in read_events(kafka, topic)]


def _ids_as_far_as_both(
    odd: pd.DataFrame, there: pd.DataFrame, newest: pd.Timestamp
) -> list[pd.Series]:
    """What is odd in the lake's readings, and what is there, as far as both have come."""
    until = min(there["event_time"].max(), newest)
    return [rows.loc[rows["event_time"] <= until, "anomaly_id"] for rows in (odd, there)]


def _closed_as_far_as_both(
    odd: pd.DataFrame,
    published: Sequence[EpisodeEvent],
    until: pd.Timestamp,
    registry: MeterRegistry,
) -> list[list[str]]:
    """The last states of episodes that closed by an instant: of the lake's readings, and published.

    Gaps are left out: they are no function of the anomalies.
    """
    due = [
        event
        for name, rows in odd.groupby("meter")
        for event in episode_events(rows, until, registry.get(str(name)))
    ]
    anomalous = {(event.meter, event.episode) for event in due}
    found = [one for one in published if (one.meter, one.episode) in anomalous]
    return [_closed(events, until) for events in (due, found)]


def _closed(events: Sequence[EpisodeEvent], until: pd.Timestamp) -> list[str]:
    last = {(event.meter, event.episode): event for event in events}
    return [
        event.state_id
        for event in last.values()
        if event.status is EpisodeStatus.CLOSED and event.at <= until.value
    ]
