"""Runs that ended with their code server are told as failed; others are left alone."""

import sqlite3
from contextlib import closing

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus

from usage_platform.local.errors import LocalError
from usage_platform.local.lost_runs import fail_lost_runs

_BY_SERVER = {".dagster/grpc_info": '{"host": "127.0.0.1", "port": 4000}'}


@dg.job
def playback():
    pass


@pytest.fixture
def started(tmp_path):
    """Make a run of an instance; gives a look at its status."""
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")

    def make(status, tags):
        with DagsterInstance.from_config(str(tmp_path)) as instance:
            run = instance.create_run_for_job(playback, status=status, tags=tags)

        def now():
            with DagsterInstance.from_config(str(tmp_path)) as instance:
                return instance.get_run_by_id(run.run_id).status

        return now

    return make


@pytest.mark.parametrize("status", ["STARTING", "STARTED", "CANCELING"])
def test_a_run_of_a_code_server_that_ended_has_failed(started, tmp_path, status):
    now = started(DagsterRunStatus[status], _BY_SERVER)
    assert fail_lost_runs(tmp_path) == 1
    assert now() == DagsterRunStatus.FAILURE
    assert fail_lost_runs(tmp_path) == 0


def test_a_run_in_a_shells_own_process_goes_on(started, tmp_path):
    now = started(DagsterRunStatus.STARTED, {})
    assert fail_lost_runs(tmp_path) == 0
    assert now() == DagsterRunStatus.STARTED


@pytest.mark.parametrize("status", ["NOT_STARTED", "SUCCESS"])
def test_a_run_that_waits_or_is_over_stays_as_it_is(started, tmp_path, status):
    now = started(DagsterRunStatus[status], _BY_SERVER)
    assert fail_lost_runs(tmp_path) == 0
    assert now() == DagsterRunStatus[status]


def test_runs_that_a_process_holds_are_said_to_be_held(started, tmp_path):
    """As one that is stopped while it opens them does: whoever keeps the services tries again."""
    now = started(DagsterRunStatus.STARTED, _BY_SERVER)
    with closing(sqlite3.connect(tmp_path / "history" / "runs.db")) as held:
        held.execute("PRAGMA locking_mode = EXCLUSIVE")
        held.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LocalError, match="database is locked"):
            fail_lost_runs(tmp_path)
    assert fail_lost_runs(tmp_path) == 1
    assert now() == DagsterRunStatus.FAILURE
