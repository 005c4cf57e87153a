"""A schedule starts nothing while runs of an earlier tick of it wait or go on."""

from datetime import UTC, datetime

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import READINGS
from usage_platform.defs.peak_warnings import hourly_peak_warnings
from usage_platform.defs.schedules import hourly_quality, nightly_costs
from usage_platform_tests.defs.conftest import Platform, skipped

SCHEDULES = [hourly_quality, hourly_peak_warnings, nightly_costs]


@pytest.fixture
def platform(tmp_path, write_table):
    """A lake with readings and a tariff, of which a month of costs is due."""
    found = Platform(tmp_path, kafka_bootstrap="", tariff=0.25)
    times = pd.date_range("2024-02-10", "2024-02-11", freq="h", tz="UTC")
    rows = pd.DataFrame({"meter": "rome", "event_time": times, "value": 2.0})
    write_table(found.deployment.lake, READINGS, rows.assign(event_date=times.date))
    return found


@pytest.fixture
def ask(on_disk, platform):
    def evaluate(schedule):
        context = dg.build_schedule_context(
            on_disk,
            scheduled_execution_time=datetime(2024, 3, 20, 3, 17, tzinfo=UTC),
            resources={"platform": platform},
        )
        return schedule(context)

    return evaluate


def put(instance, schedule, status, **tags):
    run = dg.DagsterRun(schedule.job.name, status=dg.DagsterRunStatus[status], tags=tags)
    instance.add_run(run)
    return run.run_id


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda one: one.name)
@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_an_earlier_tick_that_goes_on_is_waited_for(ask, on_disk, schedule, status):
    run = put(on_disk, schedule, status, **{"dagster/schedule_name": schedule.name})
    assert skipped(ask(schedule)) == f"run {run[:8]} is in flight"


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda one: one.name)
def test_runs_that_are_over_or_were_started_otherwise_hold_none_back(ask, on_disk, schedule):
    put(on_disk, schedule, "FAILURE", **{"dagster/schedule_name": schedule.name})
    put(on_disk, schedule, "SUCCESS", **{"dagster/schedule_name": schedule.name})
    put(on_disk, schedule, "STARTED")
    put(on_disk, schedule, "STARTED", **{"dagster/schedule_name": "weekly_full_quality"})
    asked = ask(schedule)
    assert asked
    assert not isinstance(asked, dg.SkipReason)
