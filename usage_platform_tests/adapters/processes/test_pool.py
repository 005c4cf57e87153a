"""Work is spread over processes: all results, errors as they were, and a kill is one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from usage_platform.adapters.processes.pool import WorkerKilledError, map_in_processes
from usage_platform_tests.repository import ROOT
from usage_platform_tests.topics import until


def square(number):
    return number * number, os.getpid(), os.getpriority(os.PRIO_PROCESS, 0)


def fails(number):
    raise ZeroDivisionError(f"no {number}")


def dies(number):
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_task_is_done_once_elsewhere_and_gives_way_to_other_work():
    results = list(map_in_processes(square, range(50)))
    assert sorted(value for value, _, _ in results) == [n * n for n in range(50)]
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert {nice for _, _, nice in results} == {10}
    assert os.getpriority(os.PRIO_PROCESS, 0) < 10


def test_what_the_work_raises_is_raised_here():
    with pytest.raises(ZeroDivisionError, match=r"^no [01]$"):
        list(map_in_processes(fails, range(2)))


def test_a_process_that_is_killed_is_one_line_and_the_next_work_is_done():
    with pytest.raises(WorkerKilledError, match=r"^a process that shared the work was killed, .+$"):
        list(map_in_processes(dies, [1]))
    assert [value for value, _, _ in map_in_processes(square, [3])] == [9]


def waits(number):
    print(os.getpid(), flush=True)
    signal.pause()


def test_the_processes_end_with_the_one_that_is_killed():
    begin = f"from {__name__} import *; list(map_in_processes(waits, range(1)))"
    with subprocess.Popen(
        [sys.executable, "-c", begin], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = Path("/proc", parent.stdout.readline().strip())
        assert worker.is_dir()
        parent.kill()
    until(lambda: not worker.is_dir())
