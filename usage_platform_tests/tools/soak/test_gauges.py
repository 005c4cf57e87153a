"""What is measured of files and processes."""

import os
import subprocess
import sys

from usage_platform.local.pid import identify, write_pid_file
from usage_platform_tests.tools.soak.gauges import memory, on_disk


def test_a_folder_is_as_large_as_the_room_it_takes(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "full").write_bytes(b"x" * 2**20)
    with (tmp_path / "hole").open("wb") as sparse:
        sparse.truncate(2**30)
    os.sync()
    files, size = on_disk(tmp_path)
    assert files == 2
    assert 1 <= size < 2


def test_a_folder_that_is_missing_is_empty(tmp_path):
    assert on_disk(tmp_path / "none") == (0, 0)


def test_memory_is_that_of_a_service_and_all_it_started(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    hold = "import time; held = b'x' * 2**26; print('there', flush=True); time.sleep(600)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    with subprocess.Popen(
        (sys.executable, "-c", child), start_new_session=True, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        process = identify(parent.pid)
        assert process is not None
        write_pid_file(run / "kafka.pid", process)
        found = memory(tmp_path)
        os.killpg(parent.pid, 9)
    assert set(found) == {"kafka"}
    assert found["kafka"] > 64
