"""No message on `anomaly` or `episode` stops a reader: it is read, or it is left out."""

import itertools
import json
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from usage_platform.console.message_lines import anomaly_line, episode_line, json_line
from usage_platform.console.message_table import MessageTable
from usage_platform.core.alerts.alert import AlertState, Severity, Standing
from usage_platform.core.alerts.alert_texts import episode_key
from usage_platform.core.alerts.message_filter import MessageFilter, Wanted
from usage_platform.core.alerts.routes import Route, Routes, Target
from usage_platform.core.alerts.sent_alerts import SentAlerts
from usage_platform.core.alerts.storms import Storms
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
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.route_decisions import FeedMessage, RoutingInputs, decide
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
WARNING = {
    **json.loads(EPISODES[0].value),
    "kind": "peak_warning",
    "cost": 12.5,
    "currency": "EUR",
    "peak_kw": 1.0,
}
NOW = AT.to_pydatetime()
ROUTES = Routes((Target("ops", "mail"),), (Route("all", ("ops",), kinds=("spike",)),))
MESSAGES = [ANOMALY, WARNING, *(json.loads(event.value) for event in EPISODES)]
FIELDS = sorted({"of_a_later_version", "outcome", *(name for one in MESSAGES for name in one)})
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from([10**30, 10**400, -(10**400), [float("nan")], {"a": [10**400]}]),
    st.sampled_from(["\r\nBcc: a@b.c\r\n\r\n", "a\u2028b", "\x1b[2J", "=?utf-8?q?=0AX:_1?="]),
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
        alerts(episode)
        message = FeedMessage(0, 0, episode)
        (decision,) = decide([message], {}, inputs(), NOW, itertools.repeat(True))
        assert decision is not None
        assert (episode["status"] == "withdrawn") <= (not decision.names)
    return bool(len(rows)) or event is not None


def alerts(message):
    """Every alert that a message may give rise to, as people and programs get it."""
    opened = {**json.loads(EPISODES[0].value), "meter": message["meter"]}
    for before in ({}, {episode_key(message): Standing(AlertState.OPENED, kind="spike")}):
        sent = SentAlerts(before)
        Storms(sent, {}).take({**opened, **message}, Severity.LOW, 0.0)
        alert = SentAlerts(before).due(message, Severity.LOW, METER)
        if alert is not None:
            assert alert.title.isprintable()
            json.dumps(alert.as_json(), allow_nan=False).encode()


def inputs():
    registry = MeterRegistry(METER)
    of_none = (lambda _: frozenset(), lambda _: None, frozenset)
    return RoutingInputs(ROUTES, ["mail"], Severity.LOW, registry, *of_none)


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


@given(st.sampled_from(MESSAGES), st.sampled_from(FIELDS), VALUES, st.data())
@example(ANOMALY, "of_a_later_version", 10**400, None)
@example(WARNING, "cost", "12", None)
@example(MESSAGES[2], "kind", "spike\r\nBcc: a@b.c", None)
@example(MESSAGES[4], "severity", "high", None)
@example(MESSAGES[4], "explanation", 7, None)
@example(MESSAGES[3], "anomaly_id", {"a": 1}, None)
@example(MESSAGES[3], "of_a_later_version", float("nan"), None)
def test_no_value_of_a_field_stops_a_reader(message, field, value, data):
    changed = {**message, field: value}
    if data is not None and data.draw(st.booleans()):
        del changed[data.draw(st.sampled_from(sorted(changed)))]
    read_everywhere(json.dumps(changed).encode())


@given(st.sampled_from(MESSAGES), st.sampled_from(FIELDS), VALUES, st.booleans())
def test_a_field_that_is_there_twice_stops_no_reader(message, field, value, is_first):
    parts = [json.dumps({field: value})[1:-1], json.dumps(message)[1:-1]]
    read_everywhere(f"{{{','.join(parts if is_first else parts[::-1])}}}".encode())


def test_fields_of_a_later_version_become_no_columns():
    messages = [{**ANOMALY, f"more_{n}": n} for n in range(3)]
    rows = anomalies_from_messages(json.dumps(one).encode() for one in messages)
    assert list(rows) == list(no_anomalies())


def test_a_message_with_a_field_of_the_other_topic_is_left_out():
    assert not read_everywhere(json.dumps({**ANOMALY, "at": ANOMALY["ts"]}).encode())
    for message in MESSAGES[1:]:
        for name in ("ts", "anomaly_id", "score"):
            assert not read_everywhere(json.dumps({**message, name: ANOMALY[name]}).encode())


def test_what_a_withdrawn_episode_says_beyond_its_name_has_its_form_too():
    opened, withdrawn = MESSAGES[2], json.loads(EPISODES[2].value)
    assert parse_episode(json.dumps({**opened, **withdrawn}).encode()) == {**opened, **withdrawn}
    assert parse_episode(EPISODES[2].value) == withdrawn
    for name in ("start", "kind", "severity", "explanation"):
        assert read_everywhere(json.dumps({**withdrawn, name: opened[name]}).encode())
        for wrong in (None, 7, "a\nb"):
            assert not read_everywhere(json.dumps({**withdrawn, name: wrong}).encode())
