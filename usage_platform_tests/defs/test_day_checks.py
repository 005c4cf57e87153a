"""Checks of days: each kind of damage is found, and only days that have changed are looked at."""

from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable

from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.defs import day_checks
from usage_platform.defs.resources import PlatformResource
from usage_platform_tests.defs.conftest import dated

START = pd.Timestamp("2024-01-01T05:00:00Z")
METERS = ("central-library", "east-library")
DAYS = 4


@pytest.fixture(params=[1, 1_000_000], ids=["a day at a time", "all days at once"])
def platform(request, tmp_path, monkeypatch) -> PlatformResource:
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_INTERVAL_MINUTES", "60")
    monkeypatch.setattr(day_checks, "_BATCH_SECONDS", 0.0)
    monkeypatch.setattr("usage_platform.services.check_days.METERS_AT_ONCE", 1)
    monkeypatch.setattr("usage_platform.services.check_days.ROWS_AT_ONCE", request.param)
    return PlatformResource()


@pytest.fixture
def lake(platform) -> Lake:
    return platform.deployment.lake


def readings(days=DAYS, start=START):
    times = pd.date_range(start, periods=24 * days, freq="h", unit="ns")
    values = np.random.default_rng(1).random(len(times)).round(3)
    frames = [pd.DataFrame({"meter": m, "event_time": times, "value": values}) for m in METERS]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def run(platform):
    """Evaluates a check as Dagster does; what it has seen is remembered."""
    with dg.DagsterInstance.ephemeral() as instance:

        def evaluate(check, **config):
            defined = dg.Definitions(asset_checks=[check], resources={"platform": platform})
            job = defined.resolve_implicit_global_asset_job_def()
            ops = {"ops": {check.node_def.name: {"config": config}}}
            ran = job.execute_in_process(instance=instance, run_config=ops)
            [found] = ran.get_asset_check_evaluations()
            return found.passed, {key: value.value for key, value in found.metadata.items()}

        yield evaluate


def age(lake, table, hours):
    """Give the table's commits and files another time, as if they were older."""
    log = Path(lake.table(table), "_delta_log")
    for path in log.glob("*.json"):
        path.write_text(_aged(path.read_text(), hours))


def _aged(text, hours):
    import json

    lines = []
    for line in text.splitlines():
        action = json.loads(line)
        for kind, key in (("add", "modificationTime"), ("commitInfo", "timestamp")):
            if kind in action:
                action[kind][key] -= hours * 3_600_000
        lines.append(json.dumps(action))
    return "\n".join(lines) + "\n"


CHECKS = (day_checks.no_reading_twice, day_checks.hours_equal_recompute)


@pytest.mark.parametrize("check", CHECKS)
def test_before_the_first_micro_batch_nothing_is_wrong(run, check):
    assert run(check)[0]


def test_right_tables_pass_and_each_day_is_compared(run, fill):
    fill(readings())
    passed, said = run(day_checks.no_reading_twice)
    assert (passed, said["rows"], said["duplicates"]) == (True, 2 * 24 * DAYS, 0)
    passed, said = run(day_checks.hours_equal_recompute)
    assert (passed, said["hours_compared"], said["hours_wrong"]) == (True, 2 * 24 * DAYS, 0)
    # The meters' days begin at 05:00 UTC.
    assert said["days_checked"] == DAYS + 1


def test_a_reading_that_is_there_twice_is_found(run, fill):
    rows = readings()
    fill(pd.concat([rows, rows.iloc[5:7]]))
    passed, said = run(day_checks.no_reading_twice)
    assert (passed, said["duplicates"]) == (False, 2)


def test_an_hour_that_its_readings_do_not_say_is_found(run, fill):
    fill(readings(), lambda hours: hours.assign(avg_usage=hours["avg_usage"] + (hours.index == 3)))
    # Versions that belong together do not hide it, be the writer at rest or not.
    passed, said = run(day_checks.hours_equal_recompute)
    assert (passed, said["hours_wrong"]) == (False, 1)


def test_hours_without_readings_are_found_also_on_days_that_have_not_changed(
    run, fill, lake, write_table
):
    fill(readings())
    assert run(day_checks.hours_equal_recompute)[0]
    DeltaTable(lake.table(READINGS)).delete("event_date = '2024-01-03'")
    age(lake, READINGS, 1)
    passed, said = run(day_checks.hours_equal_recompute)
    assert (passed, said["hours_wrong"]) == (False, 48)


def final(hours):
    return hours.assign(is_final=True)


@pytest.mark.parametrize("check", CHECKS)
def test_once_it_has_passed_it_looks_at_days_that_have_changed_until_it_is_asked_for_all(
    run, fill, lake, check
):
    fill(readings(), final)
    for table in (READINGS, USAGE_HOURLY):
        age(lake, table, 48)
    fill(readings(1, START + pd.Timedelta(days=DAYS)))
    passed, said = run(check)
    assert (passed, said["days_checked"]) == (True, DAYS + 2)
    passed, said = run(check)
    assert (passed, said["days_checked"]) == (True, 2)
    assert run(check, all_days=True)[1]["days_checked"] == DAYS + 2


def test_days_that_were_wrong_are_looked_at_until_they_are_right(
    run, fill, platform, lake, write_table
):
    fill(readings(), lambda hours: hours.assign(n=hours["n"] + (hours.index == 3)))
    age(lake, READINGS, 1)
    for _ in range(2):
        passed, said = run(day_checks.hours_equal_recompute)
        assert (passed, said["hours_wrong"]) == (False, 1)
    DeltaTable(lake.table(USAGE_HOURLY)).delete()
    right = hourly_from_readings(readings(), platform.deployment.registry())
    write_table(lake, USAGE_HOURLY, dated(right, "start"))
    assert run(day_checks.hours_equal_recompute)[0]


def test_a_batch_between_its_two_commits_is_not_wrong(run, fill, platform, lake, write_table):
    rows = readings()
    fill(rows)
    later = readings(1, START + pd.Timedelta(days=DAYS))
    write_table(lake, READINGS, dated(later, "event_time"))
    assert run(day_checks.hours_equal_recompute)[0]


def test_what_a_batch_has_half_written_is_compared_again_once_it_has_ended(
    run, fill, platform, lake, write_table, monkeypatch
):
    rows = readings()
    late = rows.iloc[30:31]
    fill(rows.drop(index=late.index))
    write_table(lake, READINGS, dated(late, "event_time"))
    # The hours' commit of another batch makes the half-written one look complete.
    others = readings(1, START + pd.Timedelta(days=DAYS))
    hours = hourly_from_readings(others, platform.deployment.registry())
    write_table(lake, READINGS, dated(others, "event_time"))
    write_table(lake, USAGE_HOURLY, dated(hours, "start"))
    pauses = []

    def ends_the_batch():
        pauses.append(len(pauses))
        if len(pauses) == 2:
            both = pd.concat([rows, others])
            right = hourly_from_readings(both, platform.deployment.registry())
            table = DeltaTable(lake.table(USAGE_HOURLY))
            table.delete()
            write_table(lake, USAGE_HOURLY, dated(right, "start"))

    monkeypatch.setattr(day_checks, "_let_a_batch_end", ends_the_batch)
    assert run(day_checks.hours_equal_recompute)[0]
    assert len(pauses) == 2
