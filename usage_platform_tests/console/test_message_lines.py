"""Messages as lines: what people read of them, and what programs get."""

import io
import json

import pytest
from rich.console import Console

from usage_platform.console.message_lines import anomaly_line, episode_line, json_line
from usage_platform.core.anomalies.anomaly import WITHDRAWN
from usage_platform_tests.console.made_messages import NAME, episodes, messages, withdrawn


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
    opened, closed = (shown(episode_line(one)) for one in episodes(60))
    assert opened == (
        "2024-03-10 01:55 -0500  library [main]       opened    high    since 01:55, 5 min, "
        "+25 kWh; at its peak: spike: 700.0 kW where [b]350[/b] to 450 kW are expected, +25.0 kWh"
    )
    # It has lasted ten minutes, whatever the clocks on the wall did meanwhile.
    assert closed.startswith("2024-03-10 04:00 -0400  library [main]       closed    high  ")
    assert "since 01:55, 10 min, +50 kWh; at its peak" in closed


def test_an_episode_of_which_nothing_was_expected_has_no_excess():
    unknown = float("nan")
    (opened,) = episodes(expected=unknown, excess_kwh=unknown)
    assert "since 01:55, 5 min; at its peak" in shown(episode_line(opened))


def test_an_episode_that_is_none_after_all_is_named():
    assert shown(episode_line(withdrawn())) == (
        f"2024-03-10 03:00 -0400  library [main]       withdrawn the episode {NAME} was withdrawn"
    )


def test_for_programs_a_message_is_one_line_of_json():
    one, _ = messages()
    assert json.loads(json_line(one)) == one
    assert "\n" not in json_line(one)
    assert one["z_week"] is None
