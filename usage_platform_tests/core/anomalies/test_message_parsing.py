"""No message on `anomaly` or `episode` stops a reader: it is read, or it is left out."""

import json
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.console.message_lines import anomaly_line, episode_line, json_line
from usage_platform.console.message_table import MessageTable
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.message_filter import MessageFilter, Wanted
from usage_platform.core.alerts.sent_alerts import SentAlerts
from usage_platform.core.anomalies.anomaly import no_anomalies
from usage_platform.core.anomalies.episode_messages import (
    EpisodeStatus,
    PublishedEpisodes,
    episode_event,
)
from usage_platform.core.anomalies.message_parsing import (
    anomalies_from_messages,
    parse_anomaly,
    parse_episode,
    parse_episode_event,
)
from usage_platform.core.anomalies.published import PublishedAnomalies
from usage_platform.core.meters import Meter
from usage_platform_tests.stray_messages import ANOMALY, STRAY

METER = Meter("library")
AT = pd.Timestamp("2024-11-03T04:00Z")
CONTENT = {
    "episode": "2024-11-03T04:00Z",
    "start": AT,
    "end": AT + pd.Timedelta(hours=1),
    "kind": "spike",
    "readings": 12,
    "peak_value": 3.5,
    "excess_kwh": 2.5,
    "severity": "high",
    "explanation": "why",
}
EPISODES = [
    episode_event(CONTENT, EpisodeStatus.OPENED, AT, METER),
    episode_event(CONTENT, EpisodeStatus.CLOSED, AT, METER),
    episode_event({"episode": CONTENT["episode"]}, EpisodeStatus.WITHDRAWN, AT, METER),
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(["told", "withdrawn", "opened", "low", "2024-03-05T10:00Z", "9999-12-31"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


def read_everywhere(value: bytes | None) -> bool:
    """Hand a message to every reader of both topics; whether one of them took it."""
    rows = anomalies_from_messages([value])
    PublishedAnomalies().add(rows)
    event = parse_episode_event(value)
    if event is not None:
        PublishedEpisodes().add(event)
    for message, line in (
        (parse_anomaly(value), anomaly_line),
        (parse_episode(value), episode_line),
    ):
        if message is not None:
            MessageFilter(Wanted(since=datetime(2024, 1, 1, tzinfo=UTC))).takes(message)
            json_line(message).encode()
            line(message)
            table = MessageTable("all", line is episode_line)
            table.take([(message, True)])
            list(table.__rich_console__(*_console()))
    episode = parse_episode(value)
    if episode is not None:
        SentAlerts().due(episode, Severity.LOW, METER)
    return bool(len(rows)) or event is not None


def _console():
    from rich.console import Console

    console = Console(width=200, height=50)
    return console, console.options


@pytest.mark.parametrize("value", STRAY, ids=lambda value: repr(value)[:30])
def test_what_is_no_message_of_the_platform_is_left_out_by_every_reader(value):
    assert not read_everywhere(value)


@pytest.mark.parametrize("event", EPISODES, ids=lambda event: event.status)
def test_what_the_platform_writes_is_read(event):
    assert read_everywhere(event.value)
    assert parse_episode_event(event.value) == event


def test_an_anomaly_is_read_as_it_was_written():
    value = json.dumps({**ANOMALY, "of_a_later_version": [1]}).encode()
    assert parse_anomaly(value) == {**ANOMALY, "of_a_later_version": [1]}
    rows = anomalies_from_messages([b"hello", value, None])
    assert rows["anomaly_id"].tolist() == [ANOMALY["anomaly_id"]]
    assert rows.dtypes.equals(no_anomalies().dtypes)


@given(st.binary(max_size=200))
def test_no_bytes_stop_a_reader(value):
    assert not read_everywhere(value)


@given(st.sampled_from([ANOMALY, *(json.loads(e.value) for e in EPISODES)]), st.data())
def test_no_value_of_a_field_stops_a_reader(message, data):
    field = data.draw(st.sampled_from(sorted(message)))
    changed = {**message, field: data.draw(VALUES)}
    if data.draw(st.booleans()):
        del changed[data.draw(st.sampled_from(sorted(changed)))]
    read_everywhere(json.dumps(changed).encode())
