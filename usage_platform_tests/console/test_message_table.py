"""The table of `watch`: what stands in it as messages come, and that it fits on the screen."""

import io

import pytest
from rich.console import Console

from usage_platform.console import message_table
from usage_platform.console.message_table import MessageTable
from usage_platform_tests.console.made_messages import NAME, episodes, messages, withdrawn

NUMBERED = [f"2024-03-{day:02d}T{hour:02d}:00:00-05:00" for day in (1, 2) for hour in range(24)]


def table_of(*came, episodes=False, filtered="anomalies"):
    table = MessageTable(filtered, episodes)
    table.take((message, True) for message in came)
    return table


def lines(table, width=120, height=30, styled=False):
    """What a terminal shows."""
    out = io.StringIO()
    Console(file=out, width=width, height=height, force_terminal=styled).print(table)
    return out.getvalue().splitlines()


def rows(table, **look):
    return lines(table, **look)[3:]


def test_the_newest_is_on_top_in_local_time_over_a_clock_change():
    after, before = rows(table_of(*messages()))
    assert before.split()[:5] == ["2024-03-10", "01:55", "-0500", "library", "[main]"]
    assert after.startswith("2024-03-10 03:00 -0400")
    assert "spike: 700.0 kW where [b]350[/b] to 450 kW" in after
    assert after.endswith("…")


def test_a_line_on_top_says_what_is_shown_and_how_many_came_and_what_is_wrong():
    table = MessageTable("episodes · annex · high", True)
    table.take([(withdrawn(), False)] * 1200 + [(episodes()[0], True)])
    begun = "episodes · annex · high · 1,201 read, 1 match"
    assert lines(table)[0] == f"{begun} · following, Ctrl-C to stop"
    table.trouble = "Kafka at b:1 does not answer"
    assert lines(table)[0] == f"{begun} · Kafka at b:1 does not answer; waiting"
    table.is_over = True
    assert lines(table)[0] == begun


def test_an_anomaly_that_is_corrected_or_withdrawn_changes_its_row():
    first, second = messages()
    table = table_of(first, second, {**first, "severity": "low", "score": 1.0})
    assert " low " in rows(table)[1]
    table.take([({**first, "status": "withdrawn"}, True)])
    told, gone = rows(table, styled=True)
    assert "withdrawn: spike" in gone
    assert "\x1b[2;9m" in gone
    assert "\x1b[2;9m" not in told


def test_an_episode_has_one_row_from_its_opening_to_its_end():
    opened, closed = episodes(60)
    (row,) = rows(table_of(opened, episodes=True))
    assert row.split()[3:] == ["library", "[main]", "opened", "high", "5", "+25", *row.split()[9:]]
    (row,) = rows(table_of(opened, closed, episodes=True))
    assert row.startswith("2024-03-10 01:55 -0500")
    # Ten minutes, whatever the clocks on the wall did meanwhile.
    assert row.split()[5:9] == ["closed", "high", "10", "+50"]


def test_a_withdrawn_episode_keeps_what_was_known_of_it_and_may_come_back():
    opened, closed = episodes(60)
    (row,) = rows(table_of(opened, closed, withdrawn(), episodes=True))
    assert row.split()[5:9] == ["withdrawn", "high", "10", "+50"]
    (row,) = rows(table_of(opened, withdrawn(), opened, episodes=True))
    assert row.split()[5] == "opened"


def test_a_withdrawn_episode_of_which_nothing_was_heard_is_a_row_by_its_name():
    (row,) = rows(table_of(withdrawn(NAME), episodes=True))
    assert row.split() == ["2024-03-10", "02:55", "-0400", "library", "[main]", "withdrawn"]


def test_an_episode_of_which_nothing_was_expected_has_no_excess():
    unknown = float("nan")
    (opened,) = episodes(expected=unknown, excess_kwh=unknown)
    (row,) = rows(table_of(opened, episodes=True))
    assert row.split()[6:9] == ["high", "5", "spike:"]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 10), (60, 5), (60, 8)])
def test_no_more_rows_are_shown_than_the_terminal_has_lines(width, height):
    first, _ = messages()
    came = [{**first, "anomaly_id": at, "ts": at} for at in NUMBERED]
    table = table_of(*came, filtered="anomalies · " + "a meter " * 6)
    shown = lines(table, width, height)
    assert len(shown) <= height - 1
    assert max(map(len, shown)) <= width
    if height > 5:
        days = [line[:16] for line in shown if line.startswith("2024")]
        assert days == [at.replace("T", " ")[:16] for at in reversed(NUMBERED)][: len(days)]
        assert len(shown) == height - 1


def test_the_newest_rows_are_kept_and_no_more(monkeypatch):
    monkeypatch.setattr(message_table, "MOST_ROWS", 3)
    first, _ = messages()
    table = table_of(*({**first, "anomaly_id": at, "ts": at} for at in reversed(NUMBERED)))
    assert [row[:13] for row in rows(table)] == ["2024-03-02 23", "2024-03-02 22", "2024-03-02 21"]
