"""Processes of runs are forks of one that has imported what they need."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from usage_platform.local import code_server

_AS_THE_SERVER_DOES = """
import multiprocessing, shutil, sys
from usage_platform.local import code_server
code_server._fork_runs()
run = multiprocessing.get_context("spawn").Process(
    target=shutil.copyfile, args=("/proc/self/cmdline", sys.argv[1])
)
run.start()
run.join()
sys.exit(run.exitcode)
"""


def test_each_module_that_is_imported_beforehand_is_there():
    # After a renamed one each run would import it again, and nobody would notice.
    assert [name for name in code_server._IMPORTED if find_spec(name) is None] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only there runs are forks")
def test_a_process_that_was_to_be_a_new_python_is_a_fork(tmp_path):
    command = tmp_path / "command"
    subprocess.run([sys.executable, "-c", _AS_THE_SERVER_DOES, str(command)], check=True)
    # A fork has the command line of what it was forked from.
    assert "multiprocessing.forkserver" in command.read_text("utf-8")
    assert "usage_platform.definitions" in command.read_text("utf-8")
