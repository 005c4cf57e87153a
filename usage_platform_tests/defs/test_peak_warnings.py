"""The job of peak warnings and its schedule."""

from datetime import UTC, datetime

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import EPISODE
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.anomalies.peak_messages import parse_warning
from usage_platform.defs.peak_warnings import hourly_peak_warnings, peak_warnings
from usage_platform.defs.resources import PlatformResource
from usage_platform_tests.core.forecast.made_history import at
from usage_platform_tests.defs.conftest import Platform
from usage_platform_tests.services.peaked_meters import DAY, fill


def test_an_hour_without_readings_is_skipped(on_disk, tmp_path):
    def ask(platform):
        context = dg.build_schedule_context(
            on_disk,
            scheduled_execution_time=datetime(2024, 4, 17, 4, 9, tzinfo=UTC),
            resources={"platform": platform},
        )
        return hourly_peak_warnings(context)

    empty = Platform(tmp_path / "empty")
    assert ask(empty).skip_message == "no readings yet"
    full = Platform(tmp_path / "full")
    fill(full.deployment.lake, at(DAY))
    assert ask(full).run_key == "2024-04-17T04"


def test_a_table_without_a_reading_is_no_failure(tmp_path, monkeypatch, write_table):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    rows = pd.DataFrame({"meter": ["m"], "event_time": [pd.Timestamp(0, tz="UTC")], "value": [1.0]})
    rows["event_date"] = rows["event_time"].dt.date
    lake = Platform(tmp_path, kafka_bootstrap="127.0.0.1:1").deployment.lake
    write_table(lake, READINGS, rows.iloc[:0])
    assert peak_warnings.execute_in_process(resources={"platform": PlatformResource()}).success


@pytest.mark.kafka
def test_a_run_warns_and_says_how_often(kafka, read_all, tmp_path, monkeypatch):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", kafka.bootstrap)
    monkeypatch.setenv("USAGE_INTERVAL_MINUTES", "60")
    platform = Platform(tmp_path, kafka_bootstrap=kafka.bootstrap)
    lake_id(platform.deployment.lake)
    fill(platform.deployment.lake, at(DAY))
    done = peak_warnings.execute_in_process(resources={"platform": PlatformResource()})
    (output,) = done.filter_events(lambda event: event.is_successful_output)
    said = {name: one.value for name, one in output.step_output_data.metadata.items()}
    assert said == {"examined": 2, "opened": 1, "closed": 0}
    (message,) = read_all(kafka, EPISODE)
    assert parse_warning(message.value())["meter"] == "m"
