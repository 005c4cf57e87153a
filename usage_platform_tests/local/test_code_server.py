"""Processes of runs are forks of one that has imported what they need; ticks keep what is read."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
from alembic.script import ScriptDirectory
from dagster import DagsterInstance

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


def test_the_migration_scripts_of_dagsters_storage_are_read_once(tmp_path, monkeypatch):
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    read, from_config = [], ScriptDirectory.from_config

    def counted(config):
        read.append(config)
        return from_config(config)

    monkeypatch.setattr(ScriptDirectory, "from_config", counted)
    code_server.keep_migration_scripts()
    for _ in range(3):
        with DagsterInstance.from_config(str(tmp_path)) as instance:
            assert instance.get_runs() == []
    assert read
    assert len(read) == len(set(read))
