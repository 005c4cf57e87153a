"""The page, the messages and the monthly report show the same row for the same episode."""

import json
import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS
from usage_platform.core.anomalies.episode_messages import EpisodeStatus, episode_events
from usage_platform.core.anomalies.episodes import episode_names
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.services.month_report_meters import episodes_of_month
from usage_platform.services.page_data import YearCache
from usage_platform_tests.core.detector.made_models import NO_MODELS

METER = Meter("m", "America/New_York", 15)
STEP = pd.Timedelta(minutes=15)
NEW_YEAR = pd.Timestamp("2024-01-01", tz=METER.zone).tz_convert("UTC")
KINDS = ("drop", "night_load", "spike", "zero")
ALIKE = ("start", "end", "kind", "readings", "severity", "excess_kwh", "score", "peak", "text")


def random_rows(seed: int) -> pd.DataFrame:
    """Anomalies of the days around New Year, one in eight withdrawn; one episode goes over it."""
    rng = np.random.default_rng(seed)
    steps = np.arange(-500, 500)
    is_on = np.repeat(rng.random(len(steps) // 20) < 0.5, 20) & (rng.random(len(steps)) < 0.7)
    steps = steps[is_on | (np.abs(steps) < 10 + 300 * (seed % 2))]
    size = len(steps)
    rows = pd.DataFrame(index=range(size), columns=ANOMALY_COLUMNS)
    rows = rows.assign(
        anomaly_id=[f"{seed}-{step}" for step in steps],
        meter="m",
        event_time=NEW_YEAR + steps * STEP,
        usage=rng.integers(0, 900, size).astype(float),
        expected=np.where(rng.random(size) < 0.1, np.nan, 400.0),
        expected_low=390.0,
        expected_high=410.0,
        score=rng.integers(4, 16, size) / 4,
        severity="low",
        kind=rng.choice(KINDS, size),
        direction="above",
        excess_kwh=0.0,
        explanation=[f"of {step}" for step in steps],
        **dict.fromkeys(("z", "z_short", "z_week"), 1.0),
        run=0,
        model_version="v",
        status=rng.choice(["told", None, "withdrawn"], size, p=[0.75, 0.125, 0.125]),
    )
    stands = rows["status"] != "withdrawn"
    instants = rows["event_time"].astype("datetime64[ns, UTC]").astype("int64")
    rows.loc[stands, "episode"] = episode_names(instants[stands].to_numpy(), None)
    return rows.fillna({"episode": "none any more"})


def of_summary(one) -> dict[str, object]:
    return {
        **{name: getattr(one, name) for name in ALIKE[:7]},
        "peak": one.peak_kw,
        "text": one.explanation,
    }


def of_message(value: bytes) -> dict[str, object]:
    given = json.loads(value)
    excess = math.nan if given["excess_kwh"] is None else given["excess_kwh"]
    return {
        **{name: pd.Timestamp(given[name]).tz_convert("UTC") for name in ("start", "end")},
        **{name: given[name] for name in ("kind", "readings", "severity")},
        "excess_kwh": excess,
        "score": given["peak_score"],
        "peak": given["peak_value"],
        "text": given["explanation"],
    }


def by_name(rows) -> pd.DataFrame:
    return pd.DataFrame(rows).sort_values("start", ignore_index=True)[list(ALIKE)]


@pytest.mark.parametrize("seed", range(6))
def test_page_messages_and_report_have_the_same_row_of_each_episode(lake, write_table, seed):
    rows = random_rows(seed)
    write_table(lake, ANOMALIES, rows.assign(event_date=rows["event_time"].dt.date))
    readings = rows.rename(columns={"usage": "value"})[["meter", "event_time", "value"]]
    write_table(lake, READINGS, readings.assign(event_date=readings["event_time"].dt.date))
    reader = LakeReader(lake)
    book = YearCache(reader, lambda: NO_MODELS, lambda: 0.0)

    told = rows[rows["status"] != "withdrawn"]
    events = episode_events(told, rows["event_time"].max() + pd.Timedelta(hours=2), METER)
    closed = [event.value for event in events if event.status is EpisodeStatus.CLOSED]
    messages = by_name(map(of_message, closed))
    whole = by_name(map(of_summary, book.year(METER, None).episodes))
    pd.testing.assert_frame_equal(whole, messages)
    assert len(whole) == told["episode"].nunique()

    over_new_year = messages[(messages["start"] < NEW_YEAR) & (messages["end"] > NEW_YEAR)]
    assert len(over_new_year) == 1
    months = [Month(date(2023, 12, 1)), Month(date(2024, 1, 1))]
    for month, year in zip(months, (2023, 2024), strict=True):
        start, end = month.bounds(METER)
        expected = messages[(messages["start"] < end) & (messages["end"] > start)]
        report = by_name(map(of_summary, episodes_of_month(reader, month, METER)))
        pd.testing.assert_frame_equal(report, expected.reset_index(drop=True))
        shown = by_name(map(of_summary, book.year(METER, year).episodes))
        assert set(expected["start"]) <= set(shown["start"])
        same = messages[messages["start"].isin(shown["start"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(shown, same)
