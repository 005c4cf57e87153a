"""Start a job of the running platform by Dagster's own command.

Belongs here: the command and its environment. Not here: Dagster's processes (`dagster_services`),
what became of a run (`console.runs`).
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from usage_platform.local.errors import LocalError

_LONGEST_S = 120.0


def launch_job(data_dir: Path, env: Mapping[str, str], job: str, tags: Mapping[str, str]) -> str:
    """Queue a run of a job; the daemon starts it.

    Args:
        data_dir: The data folder of a running platform.
        env: The environment of its processes.
        job: The job's name.
        tags: Tags of the run, such as those that name partitions.

    Returns:
        The run's id.

    Raises:
        LocalError: In one line, when it cannot be queued.
    """
    home = data_dir.absolute() / "dagster_home"
    run_id = str(uuid4())
    own_env = {**env, "DAGSTER_HOME": str(home)}
    # Beside a workspace Dagster refuses it.
    own_env.pop("DAGSTER_MODULE_NAME", None)
    command = (
        *(str(Path(sys.executable).parent / "dagster"), "job", "launch"),
        *("-w", str(home / "workspace.yaml"), "-j", job),
        *("--run-id", run_id, "--tags", json.dumps(dict(tags))),
    )
    try:
        done = subprocess.run(  # noqa: S603 - Dagster's command, and names of this package
            command, env=own_env, cwd=home, capture_output=True, text=True, timeout=_LONGEST_S
        )
    except subprocess.TimeoutExpired:
        raise LocalError(f"the job {job} was not queued within {_LONGEST_S:.0f} s") from None
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise LocalError(f"the job {job} was not queued: {reason}")
    return run_id
