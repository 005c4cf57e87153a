"""Work is spread over processes: all results, errors as they were, and a kill is one line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from usage_platform.adapters.processes.pool import (
    WorkerKilledError,
    ended_processes,
    map_in_processes,
    processors,
)
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


def test_on_one_processor_this_process_does_the_work_and_goes_on():
    work = (
        f"from {__name__} import *; before = os.getpriority(os.PRIO_PROCESS, 0); "
        "found = list(map_in_processes(square, range(2))); time.sleep(2.5); "
        "print([value for value, _, _ in found], {nice for _, _, nice in found} == {before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", work],
        cwd=ROOT,
        env={**os.environ, "LOKY_MAX_CPU_COUNT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[0, 1] True"


def rests(number):
    time.sleep(0.1)
    return os.getpid()


def workers():
    """The processes of this one that work for it; not the small one that counts resources."""
    children = (
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    )
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return {pid for pid, text in commands.items() if b"loky" in text and b"tracker" not in text}


IN_LINUX = pytest.mark.skipif(not Path("/proc").exists(), reason="processes are listed in /proc")


@IN_LINUX
def test_the_maps_of_a_block_share_their_processes_which_end_with_it():
    with ended_processes():
        found = {pid for _ in range(2) for pid in map_in_processes(rests, range(8))}
        assert found <= workers()
        assert len(found) <= processors()
    assert not workers()
    assert [value for value, _, _ in map_in_processes(square, [3])] == [9]


@IN_LINUX
@pytest.mark.parametrize(("work", "error"), [(fails, ZeroDivisionError), (dies, WorkerKilledError)])
def test_no_process_stays_after_an_error(work, error):
    with pytest.raises(error), ended_processes():
        list(map_in_processes(work, range(4)))
    assert not workers()


@IN_LINUX
def test_no_process_stays_when_the_other_results_are_not_read():
    with ended_processes():
        results = map_in_processes(square, range(200))
        next(results)
        assert workers()
    assert not workers()
