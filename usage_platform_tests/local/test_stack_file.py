"""What runs is told while it runs, and only one stack runs on a data folder."""

import json
import subprocess
import sys

import pytest

from usage_platform.local.errors import LocalError
from usage_platform.local.stack_file import StackFile, read_live
from usage_platform_tests.repository import ROOT

WHAT_RUNS = ("127.0.0.1:9092", "sc://127.0.0.1:15002", "http://127.0.0.1:3000")


def test_what_was_written_is_read_while_its_owner_lives(tmp_path):
    with StackFile(tmp_path) as stack:
        info = stack.write(*WHAT_RUNS, spark_cluster=("127.0.0.1:7077", "127.0.0.1:8081"))
        assert read_live(tmp_path) == info
        assert (info.kafka_bootstrap, info.spark_remote, info.ui_url) == WHAT_RUNS
    assert read_live(tmp_path) is None


def test_the_file_of_a_dead_owner_tells_of_nothing(tmp_path):
    with StackFile(tmp_path) as stack:
        stack.write(*WHAT_RUNS)
        path = tmp_path / "run" / "stack.json"
        told = json.loads(path.read_text())
        path.write_text(json.dumps({**told, "started": "long ago"}))
        assert read_live(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid": "x"}', "{"])
def test_a_damaged_file_tells_of_nothing(tmp_path, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "stack.json").write_text(content)
    assert read_live(tmp_path) is None


def test_a_second_stack_on_the_same_folder_is_refused_in_one_line(tmp_path):
    with StackFile(tmp_path) as stack:
        owner = stack.write(*WHAT_RUNS).owner
        with pytest.raises(LocalError, match=f"in use by process {owner.pid}: stop what"):
            StackFile(tmp_path).__enter__()
        # The one refused must not have taken away what the first tells.
        assert read_live(tmp_path)
    with StackFile(tmp_path):
        pass


def test_the_lock_of_a_killed_owner_is_free(tmp_path):
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from usage_platform.local.stack_file import StackFile\n"
        "stack = StackFile(Path(sys.argv[1])).__enter__()\n"
        "stack.write('a', 'b', None)\nprint(flush=True)\ntime.sleep(600)\n"
    )
    argv = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=ROOT) as owner:
        owner.stdout.readline()
        assert read_live(tmp_path).owner.pid == owner.pid
        owner.kill()
    assert read_live(tmp_path) is None
    with StackFile(tmp_path):
        pass
