"""A backtest flags the rows that the platform puts into `anomalies`, of the same file and settings.

The platform's side reads a lake: it trains and promotes models in three runs, and scores the table
`readings` in two runs. The backtest's side is the command, which reads the file alone.
"""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.console.cli import main
from usage_platform.core.detector.schedule import due
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.meters import Meter
from usage_platform.services.rescore import rescored, standing
from usage_platform.services.train import reading_days, train_and_promote
from usage_platform.services.train_weeks import TrainingRequest
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform
from usage_platform_tests.core.detector.series import DAY, HOUR, MONDAY, library

METER = Meter(interval_minutes=60)
DAYS = 112
PLANNED, TRUE = 86, 92
"""Days that begin a stretch of too high a load, the first of which a label calls planned."""

COLUMNS = ["ts", "value", "expected", "low", "high", "score", "kind", "episode"]
NUMBERS = ["value", "expected", "low", "high", "score"]


def hours(first: int) -> tuple[np.ndarray, np.ndarray]:
    """A building with faults, from so many hours after the Monday on."""
    instants, values = library(DAYS, seed=4, meter=METER)
    hour = (instants - MONDAY) // HOUR
    values = np.round(values)
    for day in (PLANNED, TRUE):
        values[(hour >= day * 24) & (hour < day * 24 + 30)] += 300
    # Four weeks that make some of the next models less fit than the one before them.
    values[(hour >= 56 * 24) & (hour < 84 * 24)] += np.tile([160, -160, 0, 220], 168)
    # Mondays, which the model of the week before scores.
    for week in range(6, 16):
        values[hour == (7 * week * 24 + 11)] *= 2.5
    return instants[first:], values[first:]


@pytest.fixture(
    params=[("forest", 0), ("robust_z", 21), ("blog", 63 * 24)],
    ids=["forest", "robust_z_from_an_evening", "blog"],
)
def case(request):
    return request.param


@pytest.fixture
def csv(case, tmp_path):
    instants, values = hours(case[1])
    local = pd.DatetimeIndex(instants).tz_localize("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    path = tmp_path / "in.csv"
    lines = [f"{ts},{kw:.0f}" for ts, kw in zip(local, values, strict=True)]
    path.write_text("\n".join(["ts,kw", *lines]))
    return path


@pytest.fixture
def deployment(case, csv, tmp_path):
    settings = Settings.from_env(
        {},
        data=tmp_path,
        source=str(csv),
        csv_time_column="ts",
        csv_end_column="-",
        csv_value_column="kw",
        interval_minutes=60,
        method=case[0],
    )
    made = Platform(settings)
    for day, verdict in ((PLANNED, Verdict.PLANNED), (TRUE, Verdict.TRUE)):
        start = pd.Timestamp(MONDAY + day * DAY, tz="UTC")
        made.labels.add(METER.name, start, start + pd.Timedelta(hours=30), verdict, "")
    return made


@pytest.fixture
def flagged(deployment, tmp_path):
    """What the command writes, without the rows that it does not flag."""
    out = tmp_path / "out.parquet"
    environment = deployment.settings.environment()
    done = CliRunner().invoke(main, ["replay", "--out", str(out)], env=environment)
    assert done.exit_code == 0, done.output
    rows = pd.read_parquet(out)
    assert len(rows) == len(deployment.reading_source().load(lambda done, of: None).frame)
    return rows[rows["flagged"]].reset_index(drop=True)


def fill(deployment, write_table):
    frame = deployment.reading_source().load(lambda done, of: None).frame
    rows = frame.rename(columns={"ts": "event_time"})[["meter", "event_time", "value"]]
    rows = rows.assign(event_date=rows["event_time"].dt.date)
    write_table(deployment.lake, READINGS, rows)


def train_all(deployment):
    """Train what is due: the first model of all, a few as if no more were due, then the others."""
    zone = deployment.settings.timezone
    for most in (1, 3, None):
        days = reading_days(deployment.reader, zone)
        untils = due(*days, deployment.models.newest_end(zone))[:most]
        train_and_promote(
            deployment.models,
            deployment.reader,
            deployment.registry(),
            deployment.labels.read(),
            TrainingRequest(untils, deployment.training_options()),
            datetime(2024, 6, 1, tzinfo=UTC),
            lambda line: None,
        )


def score_all(deployment, write_table):
    for first, last in (("2024-01-01", "2024-03-11"), ("2024-03-12", "2024-04-30")):
        scored, gone = rescored(
            deployment.reader,
            deployment.timeline(),
            deployment.registry(),
            date.fromisoformat(first),
            date.fromisoformat(last),
        )
        assert gone.empty
        rows = scored.anomalies
        write_table(deployment.lake, ANOMALIES, rows.assign(event_date=rows["event_time"].dt.date))


def test_a_backtest_flags_what_the_platform_puts_into_its_table(
    case, deployment, flagged, write_table
):
    fill(deployment, write_table)
    train_all(deployment)
    score_all(deployment, write_table)
    candidates = deployment.models.candidates()
    assert {one.meters for one in candidates} == {1}
    if case[0] == "forest":
        assert len(deployment.models.manifests()) < len(candidates)
    names = {
        "event_time": "ts",
        "usage": "value",
        "expected_low": "low",
        "expected_high": "high",
    }
    table = standing(deployment.reader).rename(columns=names).sort_values("ts", ignore_index=True)
    assert len(table) > 20
    pd.testing.assert_frame_equal(
        flagged[COLUMNS].astype(dict.fromkeys(NUMBERS, "float64")), table[COLUMNS], check_exact=True
    )
