"""The asset `usage_findings` with its check and its schedule; without Spark."""

from datetime import UTC, datetime

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import save_meters
from usage_platform.adapters.lake.findings_table import known_findings, merge_findings
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.defs.findings_assets import findings_of_all_meters, usage_findings
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.schedules import nightly_findings
from usage_platform.services.meter_findings import MeterFindings
from usage_platform_tests.defs.conftest import Platform

ROME = Meter("rome", "Europe/Rome", 60)


def readings(meter, first, last, kw):
    times = pd.date_range(first, last, freq="h", tz="UTC", inclusive="left")
    rows = pd.DataFrame({"meter": meter, "event_time": times, "value": kw(times)})
    return rows.assign(event_date=times.date)


def busy(times):
    rng = np.random.default_rng(0)
    return np.where((times.hour >= 7) & (times.hour < 17), 9.0, 4.0) + rng.random(len(times))


@pytest.fixture
def platform(tmp_path, write_table):
    """A meter that is fine, and one that has been silent for four days."""
    found = Platform(tmp_path, kafka_bootstrap="")
    deployment = found.deployment
    save_meters(deployment.assets, MeterRegistry(ROME).with_meters([ROME]))
    write_table(deployment.lake, READINGS, readings("rome", "2024-02-10", "2024-03-20", busy))
    write_table(deployment.lake, READINGS, readings("lab", "2024-02-10", "2024-03-16", busy))
    return found


@pytest.fixture
def materialized(platform, monkeypatch, tmp_path):
    """Materialize the asset; what it says."""
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))

    def said():
        done = dg.materialize([usage_findings], resources={"platform": PlatformResource()})
        (event,) = done.asset_materializations_for_node("usage_findings")
        return {name: one.value for name, one in event.metadata.items()}

    return said


@pytest.fixture
def fill_hours(platform, write_table):
    """Write an hour of a meter, by which the file of groups knows it."""

    def write(meter, day):
        start = pd.Timestamp(f"{day}T12:00Z")
        hour = {"meter": meter, "start": [start], "event_date": [start.date()]}
        write_table(platform.deployment.lake, USAGE_HOURLY, pd.DataFrame(hour))

    return write


def check(platform):
    result = findings_of_all_meters(platform)
    return result.passed, {name: one.value for name, one in (result.metadata or {}).items()}


def test_a_run_says_what_it_has_found(materialized):
    said = materialized()
    assert said["as_of"] == "2024-03-20 00:00:00+00:00"
    assert (said["meters"], said["failed_meters"]) == (2, 0)
    assert said["kinds"] == {"silent": 1}
    assert (said["findings"], said["new"], said["no_longer_found"]) == (1, 1, 0)
    assert said["dagster/row_count"] == 1
    assert materialized()["new"] == 0


def test_the_check_passes_on_what_a_recomputation_gives(platform, materialized):
    assert findings_of_all_meters(platform).description == "usage_findings: no such table yet"
    materialized()
    passed, said = check(platform)
    assert passed
    assert (said["meters_compared"], said["findings_wrong"]) == ("lab, rome", 0)


def test_the_check_fails_on_a_finding_that_is_another_one(platform, materialized):
    materialized()
    deployment = platform.deployment
    merge_findings(deployment.lake, known_findings(deployment.reader).assign(kwh=1.0))
    passed, said = check(platform)
    assert not passed
    assert said["findings_wrong"] == 1


def test_the_check_names_a_meter_that_has_failed(platform, materialized, monkeypatch):
    whole = MeterFindings.of

    def broken(self, name, history):
        if name == "rome":
            raise ValueError("no such thing")
        return whole(self, name, history)

    monkeypatch.setattr(MeterFindings, "of", broken)
    assert materialized()["failed_meters"] == 1
    passed, said = check(platform)
    assert not passed
    assert said["failed"] == "- rome: ValueError: no such thing"
    assert said["meters_compared"] == "lab"


def test_findings_are_not_compared_while_newer_readings_wait(platform, materialized, write_table):
    materialized()
    late = readings("lab", "2024-03-16", "2024-03-16T01:00", busy)
    write_table(platform.deployment.lake, READINGS, late)
    passed, said = check(platform)
    assert passed
    assert said["meters_compared"] == "none"


def test_a_night_without_readings_is_skipped(platform, tmp_path):
    def ask(of):
        context = dg.build_schedule_context(
            scheduled_execution_time=datetime(2024, 3, 20, 3, 33, tzinfo=UTC),
            resources={"platform": of},
        )
        return nightly_findings(context)

    assert ask(platform).run_key == "2024-03-20"
    assert ask(Platform(tmp_path / "empty")).skip_message == "no readings yet"


def test_a_group_may_name_a_meter_that_has_been_silent_for_long(platform, materialized, fill_hours):
    fill_hours("old", "2023-06-01")
    fill_hours("rome", "2024-03-19")
    groups = "virtual: [{name: rest, plus: [rome], minus: [old]}]"
    platform.deployment.assets.write_text("groups.yaml", groups)
    assert materialized()["failed_meters"] == 0
    platform.deployment.assets.write_text("groups.yaml", groups.replace("old", "odd"))
    with pytest.raises(dg.Failure, match="odd"):
        materialized()
