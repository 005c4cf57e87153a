"""One child process: started, made ready, stopped with all it started."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from usage_platform.local import process
from usage_platform.local.errors import LocalError
from usage_platform.local.pid import identify, read_pid_file
from usage_platform.local.process import ChildProcess
from usage_platform_tests.local.supervisors import gone, supervisor_of
from usage_platform_tests.topics import until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux offers it")


ENDED = "while child.is_alive: time.sleep(0.05)\nprint(child.exit_code)"


def silent(text: str) -> None:
    pass


@pytest.fixture
def start(python_service):
    """Start a service made of Python and wait for it; it is stopped after the test."""
    children = []

    def run(name: str = "child", code: str = "", **options) -> ChildProcess:
        child = ChildProcess(python_service(name, code, **options))
        children.append(child)
        child.start()
        child.wait_ready(silent)
        return child

    yield run
    for child in children:
        child.stop()


def test_a_started_child_is_named_in_its_pid_file_until_it_is_stopped(start):
    child = start()
    named = read_pid_file(child.service.pid_file)
    assert named == identify(child.pid)
    child.stop()
    assert not named.is_alive
    assert not child.service.pid_file.exists()


def test_a_child_that_minds_no_sigterm_is_killed(start):
    child = start(code="signal.signal(signal.SIGTERM, signal.SIG_IGN)", stop_timeout=0.2)
    pid = child.pid
    child.stop()
    assert identify(pid) is None


@pytest.mark.parametrize("ends_waits", [True, False])
def test_a_child_that_can_ends_its_waits_before_it_is_stopped(start, tmp_path, ends_waits):
    ended = tmp_path / "ended"
    code = (
        "import threading\n"
        "from pathlib import Path\n"
        "from usage_platform.adapters.processes.ending import ENDING, end_waits_on_signal\n"
        "end_waits_on_signal()\n"
        "def wait():\n"
        "    ENDING.wait()\n"
        f"    Path({str(ended)!r}).touch()\n"
        "threading.Thread(target=wait, daemon=True).start()\n"
    )
    child = start(code=code, ends_waits=ends_waits)
    child.end_waits()
    if ends_waits:
        until(ended.exists)
    assert child.is_alive
    child.stop()
    assert ended.exists() == ends_waits


def test_a_child_whose_end_is_not_waited_for_is_killed(start, monkeypatch):
    child = start(code="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    pid, wait = child.pid, subprocess.Popen.wait

    def interrupted(self, timeout=None):
        if timeout is None:
            return wait(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        child.stop()
    assert identify(pid) is None
    assert not child.service.pid_file.exists()


def test_grandchildren_are_killed_too(start, tmp_path):
    child = start(
        code=(
            "p = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);"
            "time.sleep(600)'], stdout=subprocess.PIPE)\n"
            "p.stdout.readline()\n"
            "pathlib.Path('grandchild').write_text(str(p.pid))"
        )
    )
    grandchild = int((tmp_path / "grandchild").read_text())
    assert identify(grandchild)
    child.stop()
    assert gone(grandchild)


@linux_only
def test_a_grandchild_with_a_process_group_of_its_own_is_killed_too(start, tmp_path):
    child = start(
        code=(
            "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
            "process_group=0)\n"
            "pathlib.Path('grandchild').write_text(str(p.pid))"
        )
    )
    grandchild = int((tmp_path / "grandchild").read_text())
    child.stop()
    assert gone(grandchild)


@linux_only
def test_a_child_does_not_outlive_a_supervisor_that_was_killed(tmp_path):
    command = "(sys.executable, '-c', 'import time; time.sleep(600)')"
    with supervisor_of(
        command, tmp_path, "print(child.pid, flush=True); time.sleep(600)"
    ) as supervisor:
        pid = int(supervisor.stdout.readline())
        assert identify(pid)
        supervisor.kill()
    assert gone(pid)


def test_nothing_of_the_parent_runs_in_the_child_before_its_command(tmp_path):
    """As gRPC's threads do in a child that is forked: about one in a hundred was aborted."""
    parents = "os.register_at_fork(after_in_child=os.abort)"
    with supervisor_of("('true',)", tmp_path, ENDED, parents) as supervisor:
        assert supervisor.stdout.read() == b"0\n"


def test_a_command_begins_with_the_signals_of_the_system(tmp_path):
    piped = "('sh', '-c', 'kill -s PIPE $$')"
    with supervisor_of(piped, tmp_path, ENDED) as supervisor:
        assert supervisor.stdout.read() == b"%d\n" % -signal.SIGPIPE


def test_what_a_crashed_supervisor_left_is_stopped_before_the_next_start(start, python_service):
    left = start()
    # As after a crash: the process runs, the file names it, nobody holds it.
    again = ChildProcess(python_service())
    again.start()
    again.wait_ready(silent)
    assert left.exit_code == -signal.SIGTERM
    assert again.is_alive
    again.stop()


def test_the_logs_of_three_earlier_starts_are_kept(start):
    logs = []
    for number in range(5):
        child = start(code=f"print({number})")
        child.stop()
        logs.append(child.service.log_file)
    folder = logs[0].parent
    assert sorted(path.name for path in folder.iterdir()) == [
        *("child.log", "child.log.1", "child.log.2", "child.log.3")
    ]
    assert (folder / "child.log").read_text() == "4\n"
    assert (folder / "child.log.3").read_text() == "1\n"


def test_a_child_that_ends_while_starting_is_told_with_its_last_words(start):
    with pytest.raises(
        LocalError, match=r"child ended with exit code 3, last line: alas; see .*log"
    ):
        start(code="print('alas'); sys.exit(3)")


def test_a_child_that_never_answers_is_stopped_and_told(start, python_service):
    service = python_service(ready=lambda: False, start_timeout=0.2)
    child = ChildProcess(service)
    child.start()
    with pytest.raises(LocalError, match=r"child did not answer within 0 s: see .*child\.log"):
        child.wait_ready(silent)
    assert not child.is_alive
    assert not service.pid_file.exists()


def test_a_command_that_is_not_there_is_one_line(start):
    with pytest.raises(LocalError, match=r"child cannot be started .No such file"):
        start(argv=("/nowhere/java",))


def test_a_command_that_may_not_be_run_is_one_line(start, tmp_path):
    (tmp_path / "java").touch(mode=0o600)
    with pytest.raises(LocalError, match=r"child cannot be started .Permission denied"):
        start(argv=(str(tmp_path / "java"),))


@pytest.mark.parametrize("full", ["prepare", "log", "pid"])
def test_on_a_full_disk_it_is_not_started_and_that_is_one_line(monkeypatch, python_service, full):
    begun, error = [], OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def no_space(*args):
        raise error

    identified = process.identify
    monkeypatch.setattr(process, "identify", lambda pid: begun.append(pid) or identified(pid))
    if full == "pid":
        monkeypatch.setattr(process, "write_pid_file", no_space)
    if full == "log":
        monkeypatch.setattr(process, "set_aside", no_space)
    child = ChildProcess(python_service(**({"prepare": no_space} if full == "prepare" else {})))
    with pytest.raises(LocalError, match=r"^child cannot be started: no space left .*free some"):
        child.start()
    assert not child.is_alive
    assert len(begun) == (full == "pid")
    assert not any(map(identify, begun))


def test_it_is_prepared_before_each_start(start):
    done = []
    for _ in range(2):
        start(ready=lambda: True, prepare=lambda: done.append(1)).stop()
    assert len(done) == 2


def test_stopping_what_never_ran_or_has_stopped_does_nothing(python_service):
    child = ChildProcess(python_service())
    child.stop()
    assert child.exit_code is None
    assert os.listdir(child.service.cwd) == []  # noqa: PTH208 - a list to compare
