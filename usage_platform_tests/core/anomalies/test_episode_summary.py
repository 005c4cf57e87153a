from datetime import date

import pandas as pd
import pytest

from usage_platform.core.anomalies.anomaly import no_anomalies
from usage_platform.core.anomalies.episode_summary import standing_episodes, whole_episodes
from usage_platform.core.meters import Meter

METER = Meter("m", "America/New_York", 60)


def odd(at: str, usage: float, score: float, episode: str, **more: object) -> dict[str, object]:
    row = {
        "event_time": pd.Timestamp(at, tz="UTC"),
        "meter": "m",
        "usage": usage,
        "expected": 100.0,
        "expected_low": 90.0,
        "expected_high": 110.0,
        "score": score,
        "kind": "spike",
        "direction": "above",
        "episode": episode,
        "explanation": f"spike: {usage}",
        "status": "told",
    }
    return {**row, **more}


def test_odd_readings_become_one_episode_with_its_peak_and_what_was_expected_there():
    rows = pd.DataFrame(
        [
            odd("2024-03-05T14:00", 150.0, 2.0, "e1", explanation="the peak"),
            odd("2024-03-05T13:00", 130.0, 1.2, "e1"),
            odd("2024-03-06T01:00", 60.0, 4.0, "e2", kind="drop", direction="below"),
        ]
    )
    newer, older = standing_episodes(rows, METER)
    assert (newer.name, newer.severity, newer.deviation_kw) == ("e2", "high", -40.0)
    assert newer.excess_kwh == pytest.approx(-40.0)
    assert (older.start, older.end) == (
        pd.Timestamp("2024-03-05T13:00Z"),
        pd.Timestamp("2024-03-05T15:00Z"),
    )
    assert (older.readings, older.peak_kw, older.explanation) == (2, 150.0, "the peak")
    assert older.excess_kwh == pytest.approx(80.0)
    assert (older.expected_low_kw, older.expected_high_kw) == (90.0, 110.0)


def test_what_was_withdrawn_is_left_out_and_rows_of_a_former_version_stand():
    rows = pd.DataFrame(
        [
            odd("2024-03-05T13:00", 150.0, 2.0, "e1", status="withdrawn"),
            odd("2024-03-06T13:00", 150.0, 2.0, "e2", status=None),
        ]
    )
    assert [episode.name for episode in standing_episodes(rows, METER)] == ["e2"]


def test_without_anomalies_there_are_no_episodes():
    assert standing_episodes(no_anomalies(), METER) == []


def test_a_long_episode_is_read_in_growing_steps_and_its_neighbours_are_left_out():
    times = pd.date_range("2024-03-01T12:00", "2024-03-20T12:00", freq="h", tz="UTC")
    rows = pd.DataFrame([odd(str(time.tz_localize(None)), 150.0, 2.0, "long") for time in times])
    near = pd.DataFrame([odd("2024-03-01T02:00", 150.0, 2.0, "before")])
    table, asked = pd.concat([near, rows], ignore_index=True), []

    def read(first: date, last: date) -> pd.DataFrame:
        asked.append((first.day, last.day))
        days = table["event_time"].dt.date
        return table[(days >= first) & (days <= last)]

    found = whole_episodes(read, date(2024, 3, 10), date(2024, 3, 10))
    assert found["event_time"].tolist() == rows["event_time"].tolist()
    assert asked == [(10, 10), (9, 11), (7, 13), (3, 17), (24, 25)]


def test_only_the_days_asked_for_are_read_of_episodes_within_them():
    table, asked = pd.DataFrame([odd("2024-03-10T02:00", 150.0, 2.0, "e")]), []

    def read(first: date, last: date) -> pd.DataFrame:
        asked.append((first.day, last.day))
        return table

    assert len(whole_episodes(read, date(2024, 3, 10), date(2024, 3, 10))) == 1
    assert whole_episodes(read, date(2024, 3, 9), date(2024, 3, 9)).empty
    assert asked == [(10, 10), (9, 9)]
