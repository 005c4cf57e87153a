import numpy as np
import pandas as pd
import pytest

from usage_platform.core.anomalies.episode_summary import EPISODE_COLUMNS, episodes
from usage_platform.core.anomalies.episodes import LastAnomaly, episode_names, with_episodes
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_MINUTE

METER = Meter("m", "UTC", 15)


def judged(flags, kinds=None):
    size = len(flags)
    ts = pd.date_range("2024-01-01", periods=size, freq="15min", tz="UTC", unit="ns")
    return pd.DataFrame(
        {
            "ts": ts,
            "value": np.full(size, 110.0),
            "expected": 100.0,
            "score": np.arange(1, size + 1) / 2,
            "flagged": np.array(flags, dtype=bool),
            "kind": kinds or ["spike" if flag else "" for flag in flags],
        }
    )


def test_odd_readings_within_an_hour_are_one_episode():
    rows = with_episodes(judged([1, 0, 0, 0, 1, 0, 0, 0, 0, 1]))
    assert [name for name in rows["episode"] if name] == [
        "2024-01-01T00:00Z",
        "2024-01-01T00:00Z",
        "2024-01-01T02:15Z",
    ]


def test_a_longer_series_keeps_the_names_of_its_beginning():
    flags = [0, 1, 1, 0, 1, 1, 1]
    whole = with_episodes(judged(flags))["episode"]
    for stop in range(len(flags)):
        part = with_episodes(judged(flags).iloc[:stop])["episode"]
        assert part.tolist() == whole.iloc[:stop].tolist()


def test_an_episode_tells_its_peak_its_energy_and_its_kind():
    kinds = ["", "spike", "level_shift", "level_shift"]
    (row,) = episodes(with_episodes(judged([0, 1, 1, 1], kinds)), METER).to_dict("records")
    assert row["readings"] == 3
    assert row["kind"] == "level_shift"
    assert row["peak_score"] == 2.0
    assert row["severity"] == "medium"
    assert row["excess_kwh"] == pytest.approx(3 * 10 * 0.25)
    assert row["end"] - row["start"] == pd.Timedelta(minutes=45)


def test_no_odd_reading_makes_no_episode():
    found = episodes(with_episodes(judged([0, 0])), METER)
    assert found.empty
    assert tuple(found.columns) == EPISODE_COLUMNS


@pytest.mark.parametrize("cut", range(7))
def test_names_go_on_from_the_last_odd_reading_before(cut):
    instants = np.array([0, 15, 75, 150, 160, 300, 361]) * NS_A_MINUTE
    whole = episode_names(instants, None)
    assert whole.tolist() == [f"1970-01-01T{at}Z" for at in (*["00:00"] * 3, *["02:30"] * 2)] + [
        "1970-01-01T05:00Z",
        "1970-01-01T06:01Z",
    ]
    last = LastAnomaly(int(instants[cut - 1]), whole[cut - 1]) if cut else None
    assert episode_names(instants[cut:], last).tolist() == whole[cut:].tolist()
    assert len(episode_names(instants[:0], last)) == 0
