"""Real processes are started together, started again when killed or stopped, and none is left."""

import errno
import os
import signal
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from usage_platform.local.asking import MISSES_OF_ONE_THAT_HANGS
from usage_platform.local.errors import LocalError
from usage_platform.local.pid import read_pid_file
from usage_platform.local.process import ChildProcess
from usage_platform.local.replies import HTTP, server_replies
from usage_platform.local.service_log import set_aside_if_large
from usage_platform.local.supervisor import Supervisor
from usage_platform_tests import topics
from usage_platform_tests.local.supervised import Clock, look_after_an_interval


def until(condition, supervisor) -> None:
    """Look after the services until it holds."""

    def holds() -> bool:
        if condition():
            return True
        supervisor.look()
        return False

    topics.until(holds)


def test_services_stop_in_reverse(python_service):
    said = []
    services = [python_service(name) for name in ("kafka", "spark")]
    supervisor = Supervisor(services, said.append, lambda text: None)
    supervisor.start()
    supervisor.stop()
    lines = [line.partition(" after")[0] for line in said]
    assert sorted(lines[:2]) == ["kafka: ready", "spark: ready"]
    assert lines[2:] == ["spark: stopped", "kafka: stopped"]


def test_a_service_starts_when_those_that_it_needs_answer_and_beside_the_others(python_service):
    """The slow one answers when the one beside it was started."""
    events = []

    def service(name, ready, *needs):
        prepare = partial(events.append, f"{name}: started")
        return python_service(name, ready=ready, prepare=prepare, needs=needs)

    slow = service("slow", lambda: "beside: started" in events)
    beside = service("beside", lambda: True)
    last = service("last", lambda: True, "slow", "beside", "elsewhere")
    supervisor = Supervisor([slow, beside, last], events.append, lambda text: None)
    supervisor.start()
    supervisor.stop()
    lines = [line.partition(" after")[0] for line in events]
    assert lines[:2] == ["slow: started", "beside: started"]
    assert sorted(lines[2:4]) == ["beside: ready", "slow: ready"]
    assert lines[4:6] == ["last: started", "last: ready"]


def test_what_needs_one_that_does_not_come_up_is_not_started(python_service):
    started = []
    first = python_service("first", "sys.exit(1)")
    second = python_service("second", needs=("first",), prepare=lambda: started.append("second"))
    with pytest.raises(LocalError, match="first ended with exit code 1"):
        Supervisor([first, second], print, lambda text: None).start()
    assert not started


def test_a_killed_service_comes_back_under_a_new_number(python_service):
    service, said = python_service(), []
    supervisor = Supervisor([service], said.append, lambda text: None)
    supervisor.start()
    try:
        first = read_pid_file(service.pid_file)
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: said[-1].startswith("child: ready again"), supervisor)
        assert read_pid_file(service.pid_file) != first
    finally:
        supervisor.stop()


def test_a_stopped_service_is_killed_and_comes_back_and_the_others_stay(
    monkeypatch, python_service, unused_port
):
    monkeypatch.setattr("usage_platform.local.replies._WITHIN_S", 0.5)

    def server(name, **options):
        port = unused_port()
        listens = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port})"
        return python_service(name, listens, ready=partial(server_replies, port, HTTP), **options)

    # Asking it to stop would take longer than the test may.
    services = [server("stopped", stop_timeout=3600.0), server("other")]
    clock, said = Clock(), []
    supervisor = Supervisor(services, said.append, lambda text: None, clock)
    supervisor.start()
    first, other = (read_pid_file(service.pid_file) for service in services)
    try:
        os.kill(first.pid, signal.SIGSTOP)
        for _ in range(MISSES_OF_ONE_THAT_HANGS + 1):
            look_after_an_interval(supervisor, clock)
        assert not first.is_alive
        clock.now += 1.0
        until(lambda: said[-1].startswith("stopped: ready again"), supervisor)
        assert "stopped runs but has not answered 6 times in a row" in said[-2]
        assert read_pid_file(services[1].pid_file) == other
    finally:
        if first.is_alive:
            os.kill(first.pid, signal.SIGCONT)
        supervisor.stop()


def test_when_one_does_not_come_up_those_before_it_are_stopped(python_service):
    first = python_service("first")
    second = python_service("second", "sys.exit(1)")
    with pytest.raises(LocalError, match="second ended with exit code 1"):
        Supervisor([first, second], print, lambda text: None).start()
    assert not first.pid_file.exists()
    assert not second.pid_file.exists()


def test_ctrl_c_while_starting_leaves_no_process(monkeypatch, python_service):
    def interrupted(self, waited, within):
        raise KeyboardInterrupt

    monkeypatch.setattr(ChildProcess, "has_come_up", interrupted)
    service = python_service()
    with pytest.raises(KeyboardInterrupt):
        Supervisor([service], print, lambda text: None).start()
    assert not service.pid_file.exists()


def test_a_second_ctrl_c_while_stopping_leaves_no_process(monkeypatch, python_service):
    services = [python_service(name) for name in ("kafka", "spark", "ui")]
    supervisor = Supervisor(services, print, lambda text: None)
    supervisor.start()
    stop = ChildProcess.stop
    stopped = []

    def interrupted(self):
        stop(self)
        stopped.append(self.service.name)
        if self.service.name == "spark":
            raise KeyboardInterrupt

    monkeypatch.setattr(ChildProcess, "stop", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            supervisor.stop()
        assert stopped == ["ui", "spark", "kafka"]
        assert {kept.state for kept in supervisor._kept} == {"stopped"}
    finally:
        for kept in supervisor._kept:
            stop(kept.child)


def test_a_log_that_grows_is_moved_aside_while_its_service_runs(monkeypatch, python_service):
    monkeypatch.setattr("usage_platform.local.service_log.LARGEST_LOG_BYTES", 1000)
    code = (
        "import threading\n"
        "def write():\n"
        "    while True:\n"
        "        print('x' * 99, flush=True)\n"
        "        time.sleep(0.001)\n"
        "threading.Thread(target=write, daemon=True).start()"
    )
    service = python_service(code=code)
    supervisor = Supervisor([service], print, lambda text: None)
    supervisor.start()
    try:
        log, oldest = service.log_file, service.log_file.with_name("child.log.3")
        until(oldest.exists, supervisor)
        first = read_pid_file(service.pid_file)
        # Written at the beginning again, and not after a hole as long as what went before.
        assert b"\0" not in log.read_bytes() + oldest.read_bytes()
        assert oldest.stat().st_size >= 1000
        names = {path.name for path in log.parent.iterdir()}
        assert names == {"child.log", "child.log.1", "child.log.2", "child.log.3"}
        assert read_pid_file(service.pid_file) == first
    finally:
        supervisor.stop()


@pytest.mark.parametrize("full", ["is reported before", "is met"])
def test_a_log_for_whose_copy_there_is_no_room_stays_and_so_do_the_older_ones(
    monkeypatch, tmp_path, full
):
    monkeypatch.setattr("usage_platform.local.service_log.LARGEST_LOG_BYTES", 1000)
    log = tmp_path / "child.log"
    texts = {"child.log": "x" * 2000, "child.log.1": "one", "child.log.3": "three"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)

    def copied_in_part(source, target):
        Path(target).write_text("x")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if full == "is met":
        monkeypatch.setattr("shutil.copyfile", copied_in_part)
    else:
        monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1999))
    for _ in range(4):
        set_aside_if_large(log)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == texts
