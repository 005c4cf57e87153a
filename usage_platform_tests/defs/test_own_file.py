"""A file of one's own through the real broker and real Spark: all that can be read, and no more."""

import json

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.definitions import defs
from usage_platform.defs.resources import PlatformResource

ZONE = "America/New_York"
START, END, KW = (
    "usage_datetime_start_eastern_time",
    "usage_datetime_end_eastern_time",
    "usage_kw",
)

pytestmark = [pytest.mark.kafka, pytest.mark.spark]


def boston_rows() -> pd.DataFrame:
    """Five weeks of half hours across the change to summer time, as the portal writes them."""
    start = pd.date_range("2024-02-26", "2024-04-01", freq="30min", tz=ZONE, inclusive="left")
    hour = start.hour.to_numpy() + start.minute.to_numpy() / 60
    noise = np.random.default_rng(7).normal(0, 12, len(start))
    value = 480 + 600 * np.clip(np.sin((hour - 6) / 16 * np.pi), 0, None) + noise
    ends = (start, start + pd.Timedelta(minutes=30))
    first, last = (t.tz_localize(None).strftime("%Y-%m-%d %H:%M:%S") for t in ends)
    return pd.DataFrame({START: first, END: last, KW: value.round(1).astype(str)})


@pytest.fixture
def csv(tmp_path):
    """A file with what real files have: a gap, bad rows, repeated rows, no order."""
    rows = boston_rows()
    gap = rows[START].between("2024-03-14", "2024-03-15 12")
    kept = rows[~gap]
    bad = pd.DataFrame([rows.iloc[600]] * 4).assign(
        **{
            KW: ["", "out of order", "-3.5", "700.0"],
            # The last one lies in the hour that the clocks skip.
            START: [*["2024-03-20 00:00:00"] * 3, "2024-03-10 02:30:00"],
        }
    )
    repeated = kept.iloc[100:130]
    path = tmp_path / "library.csv"
    shuffled = pd.concat([kept.sample(frac=1, random_state=3), bad, repeated])
    shuffled.to_csv(path, index=False)
    return path, kept, len(bad), len(repeated)


@pytest.fixture
def deployment(csv, kafka, spark_url, tmp_path, monkeypatch):
    """The platform after the file was played and brought into the lake."""
    settings = {
        "DATA": tmp_path / "platform",
        "SOURCE": csv[0],
        "INTERVAL_MINUTES": 30,
        "ACCELERATOR": "max",
        "KAFKA_BOOTSTRAP": kafka.bootstrap,
        "SPARK_REMOTE": spark_url,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"USAGE_{name}", str(value))
    with dg.DagsterInstance.ephemeral() as instance:
        for job in ("playback", "micro_batch"):
            defs.resolve_job_def(job).execute_in_process(instance=instance)
    return PlatformResource().deployment


def test_a_file_becomes_readings_and_hours_and_its_bad_rows_are_told(deployment, csv):
    _, kept, bad, repeated = csv
    summary = deployment.source_cache.summary()
    assert (summary.bad_rows, summary.repeated_rows) == (bad, repeated)
    told = json.loads(deployment.assets.read_text("source_readings/bad_rows.json") or "[]")
    lines = range(2 + len(kept), 2 + len(kept) + bad)  # The header is line 1.
    assert [row["row"] for row in told] == list(lines)

    assert len(deployment.reader.rows(READINGS)) == len(kept)
    start = pd.to_datetime(kept[START]).dt.tz_localize(ZONE).dt.floor("h")
    expected = kept[KW].astype(float).groupby(start.dt.tz_convert("UTC")).mean()
    hours = deployment.reader.rows(USAGE_HOURLY).set_index("start")["avg_usage"].sort_index()
    assert hours.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(hours, expected, rtol=1e-12)
