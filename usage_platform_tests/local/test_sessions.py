"""What a killed supervisor left behind is found and ended, and nothing else."""

import os
import signal
import subprocess
import sys

import pytest

from usage_platform.local.pid import ProcessId, identify, write_pid_file
from usage_platform.local.sessions import reap_all, reap_stale
from usage_platform_tests.local.supervisors import gone, supervisor_of

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux offers it")


@linux_only
@pytest.mark.parametrize("reap", [reap_all, lambda folder: reap_stale(folder / "child.pid", 5.0)])
def test_what_a_child_had_started_does_not_outlive_a_killed_supervisor_and_the_next(tmp_path, reap):
    """As the run of a code server, which goes on when the server has ended."""
    code = (
        "import pathlib, subprocess, sys, time;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "pathlib.Path('grandchild').write_text(str(p.pid)); time.sleep(600)"
    )
    then = (
        "while not (folder / 'grandchild').exists(): time.sleep(0.05)\n"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    command = f"(sys.executable, '-c', {code!r})"
    with supervisor_of(command, tmp_path, then) as supervisor:
        pid = int(supervisor.stdout.readline())
        supervisor.kill()
    assert gone(pid)
    grandchild = int((tmp_path / "grandchild").read_text())
    assert identify(grandchild)
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert reap(link)  # The same folder by another name.
    assert gone(grandchild)
    assert not list(tmp_path.glob("*.pid"))


@linux_only
def test_another_session_that_has_the_number_of_one_that_ended_is_left_alone(tmp_path):
    code = (
        "import subprocess, sys;"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print(p.pid, flush=True)"
    )
    stranger = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    with stranger:
        left = int(stranger.stdout.readline())
        stranger.wait()
        write_pid_file(tmp_path / "x.pid", ProcessId(stranger.pid, "long ago"))
        assert reap_all(tmp_path) == 0
        assert identify(left)
        os.kill(left, signal.SIGKILL)


def test_a_process_that_only_has_the_number_of_a_stale_pid_file_is_left_alone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        write_pid_file(tmp_path / "x.pid", ProcessId(stranger.pid, "long ago"))
        assert reap_stale(tmp_path / "x.pid", 1.0) is False
        assert stranger.poll() is None
        assert not (tmp_path / "x.pid").exists()
        stranger.kill()
