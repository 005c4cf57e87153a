"""What `watch` reads off the topics, and how it shows it."""

import io
import json

import pandas as pd
import pytest
from rich.console import Console

from usage_platform.adapters.kafka_topics import ANOMALY, EPISODE
from usage_platform.console.watch import anomaly_line, as_they_come, episode_line, json_line
from usage_platform.core.anomalies import ANOMALY_COLUMNS, WITHDRAWN, anomaly_messages
from usage_platform.core.episode_events import episode_events, withdrawn_episodes
from usage_platform.core.meters import Meter, MeterRegistry

METER = Meter("library [main]", "America/New_York", 5)
# In Boston the clocks go forward between the first and the second of them.
TIMES = pd.to_datetime(["2024-03-10T06:55:00Z", "2024-03-10T07:00:00Z"])
NAME = "2024-03-10T06:55Z"


def anomalies(**other) -> pd.DataFrame:
    row = {
        "anomaly_id": "0" * 16,
        "meter": METER.name,
        "usage": 700.0,
        "expected": 400.0,
        "expected_low": 350.0,
        "expected_high": 450.0,
        "score": 3.14159,
        "severity": "high",
        "kind": "spike",
        "direction": "above",
        "excess_kwh": 25.0,
        "episode": NAME,
        "explanation": "spike: 700.0 kW where [b]350[/b] to 450 kW are expected, +25.0 kWh",
        "z": 5.0,
        "z_short": 4.0,
        "z_week": float("nan"),
        "run": 0,
        "model_version": "v1",
        "status": "told",
        **other,
    }
    return pd.DataFrame([row] * 2).assign(event_time=TIMES)[ANOMALY_COLUMNS]


def messages(**other) -> list[dict]:
    return [json.loads(m) for m in anomaly_messages(anomalies(**other), MeterRegistry(METER))]


def episode_values(minutes=0, **other) -> list[bytes]:
    newest = TIMES[1] + pd.Timedelta(minutes=minutes)
    return [event.value for event in episode_events(anomalies(**other), newest, METER)]


def shown(line: str) -> str:
    """A line as a terminal without colours prints it; markup that is none would be lost."""
    out = io.StringIO()
    Console(file=out, width=300, highlight=False, emoji=False).print(line)
    return out.getvalue().rstrip("\n")


def test_an_anomaly_is_a_line_with_local_time_meter_severity_reason_and_score():
    before, after = (shown(anomaly_line(one)) for one in messages())
    assert before == (
        "2024-03-10 01:55 -0500  library [main]       high    "
        "spike: 700.0 kW where [b]350[/b] to 450 kW are expected, +25.0 kWh  score 3.14"
    )
    assert after.startswith("2024-03-10 03:00 -0400")


def test_a_withdrawn_anomaly_says_so():
    line = shown(anomaly_line(messages(status=WITHDRAWN)[0]))
    assert "  withdrawn: spike: 700.0 kW" in line


@pytest.mark.parametrize(
    ("severity", "style"), [("low", "dim"), ("medium", "yellow"), ("high", "bold red")]
)
def test_each_severity_has_a_style_of_its_own(severity, style):
    assert f"[{style}]{severity}" in anomaly_line(messages(severity=severity)[0])


def test_an_episode_that_opens_and_closes_is_a_line_each():
    opened, closed = (shown(episode_line(json.loads(v))) for v in episode_values(60))
    assert opened == (
        "2024-03-10 01:55 -0500  library [main]       opened    high    since 01:55, 5 min, "
        "+25 kWh; at its peak: spike: 700.0 kW where [b]350[/b] to 450 kW are expected, +25.0 kWh"
    )
    # It has lasted ten minutes, whatever the clocks on the wall did meanwhile.
    assert closed.startswith("2024-03-10 04:00 -0400  library [main]       closed    high  ")
    assert "since 01:55, 10 min, +50 kWh; at its peak" in closed


def test_an_episode_of_which_nothing_was_expected_has_no_excess():
    unknown = float("nan")
    (opened,) = episode_values(expected=unknown, excess_kwh=unknown)
    assert "since 01:55, 5 min; at its peak" in shown(episode_line(json.loads(opened)))


def test_an_episode_that_is_none_after_all_is_named():
    (event,) = withdrawn_episodes({NAME}, TIMES[1], METER)
    assert shown(episode_line(json.loads(event.value))) == (
        "2024-03-10 03:00 -0400  library [main]       withdrawn "
        f"the episode of {NAME} is none after all"
    )


def test_for_programs_a_message_is_one_line_of_json():
    (one, _) = messages()
    assert json.loads(json_line(one)) == one
    assert "\n" not in json_line(one)
    assert one["z_week"] is None


@pytest.mark.kafka
class TestTopics:
    """Read off the real broker."""

    def test_all_that_a_topic_holds_comes_in_its_order_and_then_it_ends(self, kafka, put):
        put(kafka, anomaly_messages(anomalies(), MeterRegistry(METER)), ANOMALY)
        found = list(as_they_come(kafka, ANOMALY, from_beginning=True, follow=False))
        assert found == messages()

    def test_without_from_beginning_nothing_old_comes(self, kafka, put):
        put(kafka, anomaly_messages(anomalies(), MeterRegistry(METER)), ANOMALY)
        assert list(as_they_come(kafka, ANOMALY, from_beginning=False, follow=False)) == []

    def test_episodes_are_read_off_a_topic_of_their_own(self, kafka, put):
        values = episode_values(60)
        put(kafka, values, EPISODE)
        found = list(as_they_come(kafka, EPISODE, from_beginning=True, follow=False))
        assert found == [json.loads(value) for value in values]

    def test_who_follows_sees_what_comes_later(self, kafka, put):
        following = as_they_come(kafka, ANOMALY, from_beginning=True, follow=True)
        first, second = anomaly_messages(anomalies(), MeterRegistry(METER))
        put(kafka, [first], ANOMALY)
        assert next(following) == json.loads(first)
        put(kafka, [second], ANOMALY)
        assert next(following) == json.loads(second)
        following.close()
