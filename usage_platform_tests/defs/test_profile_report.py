"""The asset `profile_report`, from real tables to its page, and when it is made."""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import save_meters
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, USAGE_HOURLY
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.defs.partitions import month_before
from usage_platform.defs.profile_assets import profile_report
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.schedules import monthly_report
from usage_platform_tests.core.detector.series import library
from usage_platform_tests.defs.conftest import Platform

BOSTON = Meter("boston", "America/New_York", 60)
ROME = Meter("rome", "Europe/Rome", 60)


@pytest.fixture
def platform(tmp_path, write_table, monkeypatch):
    """A lake of two meters in two zones with readings from January to March 2024."""
    found = Platform(tmp_path, kafka_bootstrap="")
    deployment = found.deployment
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    registry = MeterRegistry(BOSTON).with_meters([BOSTON, ROME])
    save_meters(deployment.assets, registry)
    parts = []
    for meter, share in ((BOSTON, 1.0), (ROME, 0.5)):
        start = pd.Timestamp("2024-01-01", tz=meter.timezone).value
        instants, values = library(days=75, start=start, meter=meter)
        times = pd.DatetimeIndex(instants).as_unit("ns").tz_localize("UTC")
        rows = {"meter": meter.name, "event_time": times, "value": values * share}
        parts.append(pd.DataFrame(rows))
    readings = pd.concat(parts, ignore_index=True)
    hours = hourly_from_readings(readings, registry)
    lake = deployment.lake
    write_table(lake, READINGS, readings.assign(event_date=readings["event_time"].dt.date))
    write_table(lake, USAGE_HOURLY, hours.assign(event_date=hours["start"].dt.date))
    # Five o'clock UTC is still the day before in one of the two, and in March in the other.
    odd = pd.DataFrame(
        {
            "meter": ["boston", "boston"],
            "episode": ["2024-02-29T22:00Z", "2024-03-01T05:00Z"],
            "event_time": pd.to_datetime(["2024-02-29T22:00Z", "2024-03-01T05:00Z"]),
            "status": "told",
            "score": 2.0,
            "severity": "medium",
            "kind": "surge",
            "excess_kwh": 3.0,
            "explanation": ["of February", "of March"],
            "anomaly_id": ["f", "m"],
            "usage": 103.0,
            "expected": 100.0,
            "expected_low": 99.0,
            "expected_high": 101.0,
            "direction": "above",
            "z": 2.0,
            "z_short": 2.0,
            "z_week": 2.0,
            "run": 0,
            "model_version": "v",
        }
    )
    write_table(lake, ANOMALIES, odd.assign(event_date=odd["event_time"].dt.date))
    return found


def make(month):
    return dg.materialize(
        [profile_report],
        partition_key=month,
        resources={"platform": PlatformResource()},
        raise_on_error=False,
    )


def test_a_months_page_is_kept_in_the_lake_and_its_figures_in_dagster(platform):
    done = make("2024-02-01")
    assert done.success
    (made,) = done.asset_materializations_for_node("profile_report")
    told = {name: value.value for name, value in made.metadata.items()}
    assert (told["meter"], told["meters"], told["episodes"]) == ("boston", 2, 1)
    assert (told["completeness"], told["gaps"]) == (1.0, 0)
    assert told["the_month"].startswith("![](data:image/png;base64,")
    text = Path(told["page"]).read_text("utf-8")
    assert Path(told["page"]).parent == Path(platform.deployment.lake.assets) / "reports"
    # The meter with more energy comes first.
    assert 0 < text.index("<h2>boston</h2>") < text.index("<h2>rome</h2>")
    assert "of February" in text
    assert "of March" not in text
    assert len(text) < 2_000_000


def test_a_month_without_readings_fails_in_one_line(platform):
    done = make("2024-05-01")
    assert not done.success
    (failure,) = done.filter_events(lambda event: event.is_step_failure)
    said = failure.step_failure_data.user_failure_data.description
    assert said == "2024-05: no readings in this month; play some, or choose another month"


@pytest.mark.parametrize(
    ("at", "key"), [("2024-03-01T10:23", "2024-02-01"), ("2024-05-01T09:23", None)]
)
def test_the_month_that_has_ended_is_reported_if_there_is_something_to_report(platform, at, key):
    context = dg.build_schedule_context(
        scheduled_execution_time=datetime.fromisoformat(at).replace(tzinfo=UTC),
        resources={"platform": platform},
    )
    said = monthly_report(context)
    assert getattr(said, "partition_key", None) == key
    assert isinstance(said, dg.RunRequest if key else dg.SkipReason)


@pytest.mark.parametrize(
    ("day", "key"), [(date(2024, 1, 1), "2023-12-01"), (date(2024, 3, 31), "2024-02-01")]
)
def test_the_month_before_is_found_across_a_new_year(day, key):
    assert month_before(day) == key
