"""A run whose shell was killed frees its pool; runs that go on, and those of servers, stay."""

import subprocess
import sys
from textwrap import dedent

import dagster as dg
import pytest

from usage_platform.defs.killed_runs import fail_killed_runs
from usage_platform.defs.sensors import micro_batch_sensor
from usage_platform_tests.defs.conftest import Platform

_KILLED = """
    import os, signal, sys
    import dagster as dg

    @dg.asset(pool="lake_writer")
    def usage_hourly():
        os.kill(os.getpid(), signal.SIGKILL)

    defs = dg.Definitions([usage_hourly], executor=dg.in_process_executor)
    with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
        defs.resolve_implicit_global_asset_job_def().execute_in_process(instance=instance)
"""


@dg.asset
def looks(context):
    """Asks from within a run of this process, which goes on."""
    assert fail_killed_runs(context.instance) == []


LOOKS = dg.Definitions([looks], executor=dg.in_process_executor)


@pytest.fixture
def killed(on_disk):
    """The run of a process that was killed in the middle of it."""
    command = [sys.executable, "-c", dedent(_KILLED), on_disk.root_directory]
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr
    (run,) = on_disk.get_runs()
    assert run.status == dg.DagsterRunStatus.STARTED
    return run.run_id


def test_a_run_whose_process_was_killed_has_failed(on_disk, killed):
    assert fail_killed_runs(on_disk) == [killed]
    assert on_disk.get_run_by_id(killed).status == dg.DagsterRunStatus.FAILURE
    assert fail_killed_runs(on_disk) == []


def test_the_sensor_of_the_ingestion_frees_the_pool_that_it_would_wait_for(
    on_disk, killed, topics, tmp_path
):
    context = dg.build_sensor_context(
        instance=on_disk, resources={"platform": Platform(tmp_path / "data")}
    )
    micro_batch_sensor(context)
    assert on_disk.get_run_by_id(killed).status == dg.DagsterRunStatus.FAILURE


def test_a_run_of_a_living_process_goes_on(on_disk):
    job = LOOKS.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(instance=on_disk).success


def test_a_run_that_a_server_has_started_is_left_to_it(on_disk, killed):
    on_disk.add_run_tags(killed, {".dagster/grpc_info": '{"host": "h", "port": 1}'})
    assert fail_killed_runs(on_disk) == []


def test_a_run_that_has_named_no_process_yet_goes_on(on_disk):
    run = dg.DagsterRun(job_name="made", status=dg.DagsterRunStatus.STARTED)
    on_disk.add_run(run)
    assert fail_killed_runs(on_disk) == []
