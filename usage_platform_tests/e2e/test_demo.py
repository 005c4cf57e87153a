"""The demo, as a stranger runs it: everything flows, and doing it again changes nothing."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake_tables import READINGS, TABLES, USAGE_HOURLY
from usage_platform_tests.e2e.conftest import Platform, summary_count

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_ZONE = "America/New_York"
_GENERATED = ("demo", "--days", "35", "--interval", "60")
_COLUMNS = ["usage_datetime_start_eastern_time", "usage_datetime_end_eastern_time", "usage_kw"]


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


def _boston_rows() -> pd.DataFrame:
    """Five weeks of half hours across the change to summer time, as the portal writes them."""
    start = pd.date_range("2024-02-26", "2024-04-01", freq="30min", tz=_ZONE, inclusive="left")
    hour = start.hour.to_numpy() + start.minute.to_numpy() / 60
    noise = np.random.default_rng(7).normal(0, 12, len(start))
    value = 480 + 600 * np.clip(np.sin((hour - 6) / 16 * np.pi), 0, None) + noise
    texts = (start, start + pd.Timedelta(minutes=30), value.round(1))
    times = [text.tz_localize(None).strftime("%Y-%m-%d %H:%M:%S") for text in texts[:2]]
    return pd.DataFrame(dict(zip(_COLUMNS, (*times, texts[2].astype(str)), strict=True)))


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """A file with what real files have: a gap, bad rows, repeated rows, no order."""
    rows = _boston_rows()
    night = rows.iloc[600]
    bad = pd.DataFrame([night] * 4).assign(
        usage_kw=["", "out of order", "-3.5", "700.0"],
        usage_datetime_start_eastern_time=[
            *["2024-03-20 00:00:00"] * 3,
            "2024-03-10 02:30:00",  # The hour that the clocks skip.
        ],
    )
    gap = rows["usage_datetime_start_eastern_time"].between("2024-03-14", "2024-03-15 12")
    kept = rows[~gap]
    repeated = kept.iloc[100:130]
    path = tmp_path_factory.mktemp("csv") / "library.csv"
    shuffled = pd.concat([kept.sample(frac=1, random_state=3), bad, repeated])
    shuffled.to_csv(path, index=False)
    return path, kept, len(bad), len(repeated)


def test_generated_readings_flow_and_a_second_demo_changes_nothing(platform):
    generated = platform()
    first = generated.run(*_GENERATED)
    assert first.returncode == 0, first.stdout + first.stderr
    assert summary_count(first.stdout, "in readings") == 35 * 24
    assert summary_count(first.stdout, "slots trained") > 0
    scored = summary_count(first.stdout, "events scored")
    waited = summary_count(first.stdout, "events before there is history to judge by")
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


def test_a_file_of_ones_own_becomes_readings_and_hours_and_its_bad_rows_are_told(platform, csv):
    path, kept, bad, repeated = csv
    own = platform()

    done = own.run("demo", "--csv", str(path), "--interval", "30")

    assert done.returncode == 0, done.stdout + done.stderr
    assert summary_count(done.stdout, "could not be read") == bad
    assert summary_count(done.stdout, "in readings") == len(kept)
    deployment = own.deployment()
    summary = deployment.source_cache.summary()
    assert summary is not None
    assert (summary.bad_rows, summary.repeated_rows) == (bad, repeated)
    told = json.loads(deployment.assets.read_text("source_readings/bad_rows.json") or "[]")
    lines = range(2 + len(kept), 2 + len(kept) + bad)  # The header is line 1.
    assert [row["row"] for row in told] == list(lines)
    readings = deployment.reader.rows(READINGS)
    assert len(readings) == len(kept)

    start = pd.to_datetime(kept[_COLUMNS[0]]).dt.tz_localize(_ZONE).dt.floor("h")
    expected = kept[_COLUMNS[2]].astype(float).groupby(start.dt.tz_convert("UTC")).mean()
    hours = deployment.reader.rows(USAGE_HOURLY).set_index("start")["avg_usage"].sort_index()
    assert hours.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(hours, expected, rtol=1e-12)
