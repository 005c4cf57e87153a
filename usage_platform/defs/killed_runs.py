"""Runs of a shell's own process that was killed, reported to Dagster as failed.

Belongs here: finding them and saying so. Not here: runs that the code server has started, which
report their own end or are found when the server starts (`local.lost_runs`).

`dg launch --assets ...` runs in its own process. When that is killed, for want of memory say,
nobody reports it: its run would count as running for ever, and would hold its slot of the pool
`lake_writer`, so that no micro-batch would start any more.
"""

import dagster as dg

from usage_platform.local.pid import identify

# Dagster writes it on the runs that a code server starts.
_STARTED_BY_SERVER = ".dagster/grpc_info"
_IN_A_FILE = "SqliteRunStorage"
_LOOKED_AT = 20
_FIRST_EVENTS = 20


def fail_killed_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report the runs whose process is no more as failed, which frees their slots.

    Only where Dagster's runs are in a file: all processes that write to it are on this machine.

    Args:
        instance: Dagster's instance.

    Returns:
        The ids of these runs.
    """
    if type(instance.run_storage).__name__ != _IN_A_FILE:
        return []
    killed = [run_id for run_id in _runs_of_shells(instance) if _is_gone(instance, run_id)]
    # Those that have ended by themselves meanwhile have reported it.
    going_on = set(_runs_of_shells(instance))
    failed = [run_id for run_id in killed if run_id in going_on]
    for run_id in failed:
        if run := instance.get_run_by_id(run_id):
            instance.report_run_failed(run, "The process that ran it was killed.")
    return failed


def _runs_of_shells(instance: dg.DagsterInstance) -> list[str]:
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
    runs = instance.get_runs(started, limit=_LOOKED_AT)
    return [run.run_id for run in runs if _STARTED_BY_SERVER not in run.tags]


def _is_gone(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether the process that a run has named is no more; not so while it has named none."""
    events = instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, limit=_FIRST_EVENTS
    )
    for record in events.records:
        event = record.event_log_entry.dagster_event
        named = event.engine_event_data.metadata.get("pid") if event else None
        if named is not None:
            return identify(int(str(named.value))) is None
    return False
