"""What became of some runs, read from a Dagster instance."""

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus

from usage_platform.console.runs import failed_jobs, unfinished


@dg.job
def costs():
    pass


@pytest.fixture
def run(tmp_path):
    """Make a run with a status; gives its id."""
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")

    def make(status):
        with DagsterInstance.from_config(str(tmp_path)) as instance:
            return instance.create_run_for_job(costs, status=status).run_id

    return make


@pytest.mark.parametrize(
    ("status", "is_waiting", "has_failed"),
    [
        (DagsterRunStatus.NOT_STARTED, True, False),
        (DagsterRunStatus.STARTED, True, False),
        (DagsterRunStatus.SUCCESS, False, False),
        (DagsterRunStatus.FAILURE, False, True),
        (DagsterRunStatus.CANCELED, False, True),
    ],
)
def test_a_run_waits_or_has_ended_well_or_not(run, tmp_path, status, is_waiting, has_failed):
    own, other = run(status), run(status)
    assert unfinished(tmp_path, [own]) == ([own] if is_waiting else [])
    assert failed_jobs(tmp_path, [own]) == (["costs"] if has_failed else [])
    assert len(unfinished(tmp_path, [own, other])) == 2 * is_waiting


def test_no_runs_are_none_of_all(run, tmp_path):
    run(DagsterRunStatus.STARTED)
    assert unfinished(tmp_path, []) == []
    assert failed_jobs(tmp_path, []) == []
