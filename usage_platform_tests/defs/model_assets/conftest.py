"""Hourly readings in a lake of their own, and training on them. No JVM."""

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import READINGS
from usage_platform.defs.model_assets import slot_forests
from usage_platform.defs.resources import PlatformResource
from usage_platform_tests.core.detector.series import HOURLY, library

START = pd.Timestamp("2024-01-01", tz=HOURLY.timezone).tz_convert("UTC")

# 2024-03-03 is the last of them, a Sunday; 2024-02-26 and 2024-03-04 are Mondays.
DAYS = 63


@pytest.fixture
def platform(tmp_path, monkeypatch) -> PlatformResource:
    """The platform's resource on a fresh data folder; quick to train."""
    for name, value in {
        "DATA": str(tmp_path),
        "INTERVAL_MINUTES": "60",
        "METHOD": "robust_z",
        "HOLIDAYS": "-",
    }.items():
        monkeypatch.setenv(f"USAGE_{name}", value)
    return PlatformResource()


@pytest.fixture
def store(platform):
    return platform.deployment.models


@pytest.fixture
def fill(platform, write_table):
    """Put hourly readings of meters into the lake."""

    def write(*meters, days=DAYS, since=START):
        frames = []
        for seed, meter in enumerate(meters):
            instants, values = library(days, seed, since.value)
            times = pd.DatetimeIndex(instants).tz_localize("UTC")
            frames.append(pd.DataFrame({"meter": meter, "event_time": times, "value": values}))
        rows = pd.concat(frames)
        rows["event_date"] = rows["event_time"].dt.date
        write_table(platform.deployment.lake, READINGS, rows)

    return write


@pytest.fixture
def train(platform):
    def run(raise_on_error=True, **config):
        return dg.materialize(
            [slot_forests],
            resources={"platform": platform},
            run_config={"ops": {"slot_forests": {"config": config}}},
            raise_on_error=raise_on_error,
        )

    return run
