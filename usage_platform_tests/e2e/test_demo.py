"""The demo, as a stranger runs it: everything flows, and doing it again changes nothing."""

import hashlib

import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import TABLES
from usage_platform.core.evaluation.replay import replay
from usage_platform_tests.e2e.conftest import Platform, summary_count

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_GENERATED = ("demo", "--days", "35", "--interval", "60")


def _rows(platform: Platform) -> dict[str, pd.DataFrame]:
    """All rows of all tables, each table in an order of its own."""
    reader = platform.deployment().reader
    found = {}
    for table in TABLES:
        rows = reader.rows(table)
        found[table.name] = rows.sort_values([*rows.columns], ignore_index=True)
    return found


def _hashes(rows: dict[str, pd.DataFrame]) -> dict[str, str]:
    return {name: hashlib.sha256(own.to_csv().encode()).hexdigest() for name, own in rows.items()}


def _end_offsets(platform: Platform) -> dict[str, int]:
    """Where the topics end, by the file that the broker leaves when it is stopped."""
    text = (platform.data / "kafka" / "data" / "replication-offset-checkpoint").read_text()
    ends = (line.split() for line in text.splitlines()[2:])
    return {topic: int(end) for topic, _, end in ends if topic in {"usage", "anomaly", "episode"}}


def _backtested(platform: Platform, readings: pd.DataFrame) -> pd.DataFrame:
    """What a backtest of the lake's readings flags, in the columns of `anomalies`."""
    deployment = platform.deployment()
    [name] = readings["meter"].unique()
    series = readings.sort_values("event_time").rename(columns={"event_time": "ts"})
    meter, labels = deployment.registry().get(name), deployment.labels.read()
    scored = replay(series, meter, deployment.training_options(), labels)
    names = {"ts": "event_time", "value": "usage", "low": "expected_low", "high": "expected_high"}
    return scored[scored["flagged"]].rename(columns=names).reset_index(drop=True)


_BACKTESTED = ["event_time", "usage", "expected", "expected_low", "expected_high", "score", "kind"]


def test_generated_readings_flow_and_a_second_demo_changes_nothing(platform):
    generated = platform()
    first = generated.run(*_GENERATED)
    assert first.returncode == 0, first.stdout + first.stderr
    assert summary_count(first.stdout, "in readings") == 35 * 24
    assert summary_count(first.stdout, "slots trained") > 0
    scored = summary_count(first.stdout, "events scored")
    waited = summary_count(first.stdout, "events with too little history")
    assert scored > 0
    assert scored + waited == 35 * 24
    assert "injected faults" in first.stdout.lower()
    rows, ends = _rows(generated), _end_offsets(generated)
    assert set(ends) == {"usage", "anomaly", "episode"}
    anomalies = rows["anomalies"]
    assert summary_count(first.stdout, "anomalies") == len(anomalies) > 0
    assert (anomalies["status"] == "told").all()
    episodes = summary_count(first.stdout, "episodes of anomalies")
    assert episodes == anomalies["episode"].nunique()
    # Each is opened at least.
    assert ends["episode"] >= episodes
    backtested = _backtested(generated, rows["readings"])[[*_BACKTESTED, "episode"]]
    streamed = anomalies.sort_values("event_time", ignore_index=True)[[*backtested]]
    numbers = dict.fromkeys(_BACKTESTED[1:-1], "float64")
    pd.testing.assert_frame_equal(backtested.astype(numbers), streamed, check_exact=True)
    models = generated.deployment().models
    assert summary_count(first.stdout, "models trained") == len(models.manifests())
    # 2024 begins with a Monday: one that knows nothing, and one each Monday from then on.
    assert len(models.candidates()) == 1 + 5

    second = generated.run(*_GENERATED)

    assert second.returncode == 0, second.stdout + second.stderr
    again = _rows(generated)
    for name, own in rows.items():
        pd.testing.assert_frame_equal(own, again[name], check_exact=True)
    assert _hashes(again) == _hashes(rows)
    assert _end_offsets(generated) == ends
