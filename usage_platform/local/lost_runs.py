"""Runs that ended with the code server that had started them, reported to Dagster as failed.

Belongs here: finding them and saying so. Not here: starting the code server (dagster_services), or
runs of a shell's own process, such as `dg launch --assets`: those do not end with it
(`defs.killed_runs`).

A run's process is a child of the code server, which reports it when it dies. When the server itself
is killed nobody is left to report anything: its runs would count as running for ever, and the
sensors, which keep one run of a kind alive, would wait for them.
"""

from pathlib import Path

from usage_platform.local.errors import LocalError

# Dagster writes it on the runs it has a code server start.
_STARTED_BY_SERVER = ".dagster/grpc_info"


def fail_lost_runs(home: Path) -> int:
    """Report the runs of the code servers before as failed; to be called while none runs.

    Args:
        home: The folder of the instance's `dagster.yaml`.

    Returns:
        How many there were.

    Raises:
        LocalError: When Dagster's storage cannot be used just now.
    """
    from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
    from sqlalchemy.exc import DatabaseError

    in_a_process = [
        DagsterRunStatus.STARTING,
        DagsterRunStatus.STARTED,
        DagsterRunStatus.CANCELING,
    ]
    try:
        with DagsterInstance.from_config(str(home)) as instance:
            runs = instance.get_runs(RunsFilter(statuses=in_a_process))
            lost = [run for run in runs if _STARTED_BY_SERVER in run.tags]
            for run in lost:
                instance.report_run_failed(run, "The code server that ran it has ended.")
    except DatabaseError as error:
        raise LocalError(
            f"Dagster's runs cannot be read ({error.orig}): check that no process of {home} "
            f"hangs and that its disk has free space"
        ) from error
    return len(lost)
