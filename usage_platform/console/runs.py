"""The state of Dagster's runs, read from its instance.

Belongs here: reading runs. Not here: starting or stopping them.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus, RunsFilter

_IN_FLIGHT = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]


@lru_cache(maxsize=1)
def _instance(home: Path) -> DagsterInstance:
    """The instance, opened once: whoever waits asks each second, and to open it takes longest."""
    return DagsterInstance.from_config(str(home))


def any_in_flight(home: Path) -> bool:
    """Whether any run is queued or running; stopping Dagster then would fail it.

    Args:
        home: The folder of the instance's `dagster.yaml`.
    """
    return bool(_instance(home).get_runs(RunsFilter(statuses=_IN_FLIGHT), limit=1))


def why_it_failed(home: Path, job: str, step: str, since: datetime) -> str | None:
    """The error message of a failed step in the newest run of a job; None if it did not fail.

    Args:
        home: The folder of the instance's `dagster.yaml`.
        job: The job's name.
        step: The step's key, equal to its asset's name.
        since: Earlier runs are ignored.
    """
    instance = _instance(home)
    for run in instance.get_runs(RunsFilter(job_name=job, created_after=since), limit=1):
        for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE):
            event = entry.dagster_event
            if event is None or event.step_key != step:
                continue
            raised = event.step_failure_data.user_failure_data
            return (raised.description if raised else None) or event.message
    return None


def unfinished(home: Path, runs: Sequence[str]) -> list[str]:
    """Which of some runs are still queued or running.

    Args:
        home: The folder of the instance's `dagster.yaml`.
        runs: Their ids.
    """
    if not runs:
        return []
    waiting = _instance(home).get_runs(RunsFilter(run_ids=list(runs), statuses=_IN_FLIGHT))
    return [run.run_id for run in waiting]


def failed_jobs(home: Path, runs: Sequence[str]) -> list[str]:
    """The jobs of those runs that have ended without success.

    Args:
        home: The folder of the instance's `dagster.yaml`.
        runs: Their ids.
    """
    if not runs:
        return []
    ended = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    return [
        one.job_name for one in _instance(home).get_runs(RunsFilter(list(runs), statuses=ended))
    ]
