"""Jobs that are started by Dagster's command: what it gets, and what is said if it refuses."""

import json
import subprocess

import pytest

from usage_platform.local import dagster_jobs
from usage_platform.local.dagster_jobs import launch_job
from usage_platform.local.errors import LocalError


@pytest.fixture
def dagster(monkeypatch):
    """Answers in the place of the command; gives what it was called with."""
    calls = []

    def answer(returncode=0, stderr="", error=None):
        def run(command, **options):
            calls.append((command, options))
            if error is not None:
                raise error
            return subprocess.CompletedProcess(command, returncode, "", stderr)

        monkeypatch.setattr(dagster_jobs.subprocess, "run", run)
        return calls

    return answer


def test_a_run_is_queued_on_the_instance_of_the_data_folder(dagster, tmp_path):
    calls = dagster()
    env = {"PATH": "/bin", "DAGSTER_MODULE_NAME": "usage_platform.definitions"}
    run_id = launch_job(tmp_path, env, "costs", {"dagster/partition": "2024-05-01"})
    [(command, options)] = calls
    given = dict(zip(command[3::2], command[4::2], strict=True))
    home = tmp_path / "dagster_home"
    assert command[1:3] == ("job", "launch")
    assert given["-w"] == str(home / "workspace.yaml")
    assert (given["-j"], given["--run-id"]) == ("costs", run_id)
    assert json.loads(given["--tags"]) == {"dagster/partition": "2024-05-01"}
    assert options["cwd"] == home
    # Beside a workspace Dagster refuses the name of a module.
    assert options["env"] == {"PATH": "/bin", "DAGSTER_HOME": str(home)}


def test_a_refusal_is_one_line_with_dagsters_last_one(dagster, tmp_path):
    dagster(returncode=1, stderr="Traceback\nError: no such job\n")
    with pytest.raises(LocalError, match=r"^the job costs was not queued: Error: no such job$"):
        launch_job(tmp_path, {}, "costs", {})


def test_a_command_that_does_not_end_is_given_up(dagster, tmp_path):
    dagster(error=subprocess.TimeoutExpired("dagster", 120))
    with pytest.raises(LocalError, match="was not queued within 120 s"):
        launch_job(tmp_path, {}, "costs", {})
