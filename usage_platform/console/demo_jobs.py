"""Costs and findings of a demo, which the platform otherwise computes at night.

Belongs here: starting the jobs for what is due, and waiting for them. Not here: the jobs (`defs`),
waiting for the readings (`demo`).
"""

import time
from pathlib import Path

from usage_platform.adapters.lake.tables import READINGS
from usage_platform.console.runs import failed_jobs, unfinished
from usage_platform.console.screen import Screen
from usage_platform.local.stack import Stack
from usage_platform.services.usage_cost import months_due
from usage_platform.services.usage_findings import present_of
from usage_platform.wiring.findings import finding_inputs, findings_record
from usage_platform.wiring.platform import Platform

_COSTS, _FINDINGS = "costs", "findings"
_FIRST, _LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_LOOK_EVERY_SECONDS = 1.0


def compute_costs_and_findings(
    deployment: Platform, stack: Stack, screen: Screen, deadline: float
) -> bool:
    """Compute what is due of both by Dagster's jobs, and wait.

    Args:
        deployment: The services.
        stack: The running platform.
        screen: Where to print.
        deadline: Of `time.monotonic()`: when to give up.

    Returns:
        Whether they are computed.

    Raises:
        LocalError: In one line, when a job cannot be started.
        LakeError: In one line, when the tables or the files of groups and tariffs cannot be read.
    """
    home = stack.settings.data_dir / "dagster_home"
    screen.progress("starting the jobs of costs and findings")
    runs = [
        stack.launch_job(job, tags)
        for job, tags in {**_costs_due(deployment), **_findings_due(deployment)}.items()
    ]
    is_done = _wait(home, runs, stack, screen, deadline)
    screen.quiet()
    failed = failed_jobs(home, runs)
    for job in failed:
        screen.say(f"the job {job} failed; see its run at {stack.ui_url}")
    return is_done and not failed


def _wait(home: Path, runs: list[str], stack: Stack, screen: Screen, deadline: float) -> bool:
    while waiting := unfinished(home, runs):
        if time.monotonic() > deadline:
            return False
        stack.look()
        screen.progress(f"computing costs and findings: {len(waiting)} jobs are at work")
        time.sleep(_LOOK_EVERY_SECONDS)
    return True


def _costs_due(deployment: Platform) -> dict[str, dict[str, str]]:
    """The job of costs with the months from the first one that is due to the last one."""
    due = months_due(deployment.cost_inputs(), deployment.cost_record)
    if not due:
        return {}
    keys = sorted(f"{one.first}" for one in due)
    return {_COSTS: {_FIRST: keys[0], _LAST: keys[-1]}}


def _findings_due(deployment: Platform) -> dict[str, dict[str, str]]:
    """The job of findings, unless they are those of all that they depend on."""
    reader, run = deployment.reader, findings_record(deployment).read()
    as_of = present_of(reader, time.time_ns())
    if as_of is None:
        return {}
    digest = finding_inputs(deployment).digest(as_of, reader.day_files(READINGS))
    return {} if run is not None and run.digest == digest else {_FINDINGS: {}}
