"""What the definitions say of assets, checks, jobs, schedules and sensors."""

import importlib.util
from datetime import timedelta
from urllib.parse import urlsplit

import dagster as dg
import pytest
from dagster._core.events import RunFailureReason
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)
from dagster._utils.tags import TagConcurrencyLimitsCounter

from usage_platform.adapters.lake.tables import TABLES, USAGE_COST, USAGE_FINDINGS
from usage_platform.definitions import defs
from usage_platform.defs.asset_metadata import place_metadata
from usage_platform.settings.settings import SettingsError
from usage_platform_tests.defs.expected_definitions import (
    ASSETS,
    CHECKS,
    EDGES,
    SCHEDULES,
    SENSORS,
    TRAINING_CHECK,
)
from usage_platform_tests.repository import ROOT

STREAM_WINDOWS = (timedelta(hours=3), timedelta(hours=24))
# When each asset that something keeps current is stale: a warning, then a failure.
FRESH = {
    "usage": STREAM_WINDOWS,
    "readings": STREAM_WINDOWS,
    "rejects": STREAM_WINDOWS,
    "usage_hourly": STREAM_WINDOWS,
    "anomaly": STREAM_WINDOWS,
    # With the default budget of one alarm in two weeks.
    "anomalies": (timedelta(weeks=4), timedelta(weeks=10)),
    "slot_forests": (timedelta(days=8), timedelta(days=15)),
    "profile_report": (timedelta(days=32), timedelta(days=63)),
    "usage_cost": (timedelta(hours=50), timedelta(hours=98)),
    "usage_findings": (timedelta(hours=50), timedelta(hours=98)),
}
# The collector's asset is used where a broker of MQTT is set.
BY_HAND = {"source_readings", "redriven_rejects", "samples"}


@pytest.fixture(scope="module")
def graph():
    return defs.resolve_asset_graph()


def schedules_made_anew():
    """The module of schedules, run again in the environment as it is now."""
    spec = importlib.util.find_spec("usage_platform.defs.schedules")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_setting_that_cannot_be_used_is_named_when_they_load(monkeypatch):
    monkeypatch.setenv("USAGE_TIMEZONE", "Mars")
    with pytest.raises(SettingsError, match="USAGE_TIMEZONE"):
        schedules_made_anew()


def test_the_lineage_is_complete_from_the_source_to_the_anomalies(graph):
    found = {
        (parent.to_user_string(), key.to_user_string())
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
    }
    assert found == EDGES


def test_every_asset_has_a_group_kinds_an_owner_and_a_description(graph):
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == ASSETS
    groups = set()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        groups.add(node.group_name)
        assert node.kinds, key
        assert node.owners, key
        assert len(node.description or "") > 40, key
        assert node.is_executable, key
    assert groups == {"source", "stream", "lake", "model", "reports"}


def test_hours_and_anomalies_are_partitioned_by_day_and_backfilled_in_one_run(graph):
    partitioned = {
        key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).is_partitioned
    }
    by_day = {"usage_hourly", "anomalies"}
    assert partitioned == {*by_day, "profile_report", "usage_cost"}
    for name in by_day:
        node = graph.get(dg.AssetKey(name))
        assert isinstance(node.partitions_def, dg.DailyPartitionsDefinition)
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_what_writes_to_the_lake_shares_a_pool_of_one(graph):
    pools = {
        key.to_user_string(): graph.get(key).assets_def.op.pool
        for key in graph.get_all_asset_keys()
    }
    writers = {name for name, pool in pools.items() if pool == "lake_writer"}
    assert writers == {
        *("readings", "rejects", "usage_hourly", "usage_cost", "anomalies", "redriven_rejects"),
    }
    assert pools["usage_findings"] == "findings"
    settings = (ROOT / "dagster.yaml").read_text("utf-8")
    assert "default_limit: 1" in settings


def test_no_check_holds_a_pool_for_as_long_as_all_checks_take():
    nodes = defs.resolve_job_def("quality").graph.nodes
    assert len(nodes) > 10
    assert {getattr(node.definition, "pool", None) for node in nodes} == {None}


def test_what_must_go_on_has_a_freshness_policy_that_warns_before_it_fails(graph):
    policies = {
        key.to_user_string(): graph.get(key).freshness_policy for key in graph.get_all_asset_keys()
    }
    windows = {
        name: (policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta())
        for name, policy in policies.items()
        if policy
    }
    assert windows == FRESH
    assert set(policies) - set(windows) == BY_HAND


@pytest.mark.parametrize(
    "table", [*TABLES, USAGE_COST, USAGE_FINDINGS], ids=lambda table: table.name
)
def test_a_tables_asset_has_the_tables_name_place_and_described_columns(graph, table):
    metadata = graph.get(dg.AssetKey(table.name)).metadata
    assert metadata["dagster/table_name"] == table.name
    uri = urlsplit(metadata["dagster/uri"])
    assert (uri.scheme, uri.path.endswith(f"/lake/deltalake/{table.name}")) == ("file", True)
    columns = metadata["dagster/column_schema"].columns
    comments = [f" COMMENT '{one.description}'" if one.description else "" for one in columns]
    rebuilt = [
        f"{one.name} {one.type.upper()}{comment}"
        for one, comment in zip(columns, comments, strict=True)
    ]
    assert rebuilt == table.definitions
    assert any(comments)


def test_a_place_on_s3_is_its_own_uri():
    assert place_metadata("s3://bucket/lake/models") == {"dagster/uri": "s3://bucket/lake/models"}


def test_every_asset_has_a_code_version(graph):
    versions = {
        key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()
    }
    assert all(versions.values()), versions


def test_each_table_and_the_model_have_a_check(graph):
    checked = {key.asset_key.to_user_string() for key in graph.asset_check_keys}
    tables = {"readings", "usage_hourly", "usage_cost", "usage_findings", "rejects", "anomalies"}
    assert checked == {*tables, "slot_forests", "anomaly"}
    found = {(key.asset_key.to_user_string(), key.name) for key in graph.asset_check_keys}
    assert found == {*CHECKS, TRAINING_CHECK}


@pytest.mark.parametrize(
    ("job", "assets"),
    [
        ("playback", {"source_readings", "usage"}),
        ("micro_batch", {"readings", "rejects"}),
        ("retrain", {"slot_forests"}),
        ("quality", set()),
        ("backfill", {"usage_hourly", "anomalies"}),
        ("report", {"profile_report"}),
    ],
)
def test_a_job_makes_its_assets_and_says_what_it_does(job, assets):
    found = defs.resolve_job_def(job)
    selected = found.asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in selected} == assets
    assert found.description
    # Training itself says of its model whether it is fit; all else is asked each hour.
    said = {
        "retrain": {"model_is_fit"},
        "quality": {name for _, name in CHECKS},
    }
    checks = {key.name for key in found.asset_layer.asset_graph.asset_check_keys}
    assert checks == said.get(job, set())
    assert all(said.values())


def test_runs_that_must_end_have_a_longest_time():
    longest = {
        job: defs.resolve_job_def(job).tags.get("dagster/max_runtime")
        for job in ("micro_batch", "retrain", "quality", "upkeep", "playback")
    }
    # Playback goes on for as long as its source does.
    assert longest == {
        "micro_batch": "3600",
        "retrain": "7200",
        "quality": "3600",
        "upkeep": "7200",
        "playback": None,
    }


@pytest.mark.parametrize(
    ("job", "is_killed", "starts_again"),
    [
        *[(job, True, True) for job in ("report", "costs", "findings", "upkeep")],
        *[(job, False, False) for job in ("report", "costs", "findings", "upkeep")],
        # Sensors start these again.
        *[(job, True, False) for job in ("micro_batch", "playback", "retrain", "collecting")],
        ("quality", True, False),
    ],
)
def test_a_run_that_was_killed_is_started_again_where_nobody_else_would(
    on_disk, job, is_killed, starts_again
):
    tags = defs.resolve_job_def(job).tags
    run = dg.DagsterRun(job, status=dg.DagsterRunStatus.FAILURE, tags=tags)
    on_disk.add_run(run)
    # Of a process that was killed the monitoring of runs reports no reason.
    reason = None if is_killed else RunFailureReason.STEP_FAILURE
    assert on_disk.run_retries_enabled
    assert auto_reexecution_should_retry_run(on_disk, run, reason) == starts_again
    again = dg.DagsterRun(
        job,
        status=dg.DagsterRunStatus.FAILURE,
        tags={**tags, "dagster/root_run_id": run.run_id, "dagster/parent_run_id": run.run_id},
        root_run_id=run.run_id,
        parent_run_id=run.run_id,
    )
    on_disk.add_run(again)
    assert not auto_reexecution_should_retry_run(on_disk, again, reason)


def test_events_are_ingested_before_other_runs_that_wait_for_the_lake():
    waiting = [
        dg.DagsterRun(job, tags=defs.resolve_job_def(job).tags)
        for job in ("costs", "upkeep", "micro_batch", "backfill", "report")
    ]
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    assert daemon._priority_sort(waiting)[0].job_name == "micro_batch"


def test_a_backfill_of_many_runs_leaves_slots_to_the_others(on_disk):
    config = on_disk.get_concurrency_config().run_queue_config
    counter = TagConcurrencyLimitsCounter(
        config.tag_concurrency_limits,
        [dg.DagsterRun("report", tags={"dagster/backfill": "a"}) for _ in range(2)],
    )
    assert counter.is_blocked(dg.DagsterRun("report", tags={"dagster/backfill": "b"}))
    assert not counter.is_blocked(dg.DagsterRun("report"))
    # Playback, collecting, ingestion and training go on beside it.
    assert config.max_concurrent_runs - 2 >= 4


def test_sensors_and_schedules_are_on_from_the_start():
    repository = defs.get_repository_def()
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}
    assert set(sensors) == SENSORS
    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}
    assert set(schedules) == SCHEDULES
    for one in (*sensors.values(), *schedules.values()):
        assert one.default_status.value == "RUNNING", one.name


def test_the_retraining_follows_its_settings_in_the_buildings_time(monkeypatch):
    monkeypatch.setenv("USAGE_RETRAIN_CRON", "0 4 * * 2")
    monkeypatch.setenv("USAGE_TIMEZONE", "Europe/Rome")
    retrain = schedules_made_anew().weekly_retrain
    assert (retrain.cron_schedule, retrain.execution_timezone) == ("0 4 * * 2", "Europe/Rome")


def test_every_job_runs_its_steps_in_one_process():
    """That of assets that a person selects, too."""
    jobs = {job.name: job.executor_def.name for job in defs.resolve_all_job_defs()}
    assert "__ASSET_JOB" in jobs
    assert {name for name, executor in jobs.items() if executor != "in_process"} == set()
