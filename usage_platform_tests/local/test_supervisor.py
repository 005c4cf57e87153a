"""Services are started in order, started again when they die or hang, and stopped in reverse."""

import os
import signal
import threading
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.local.asking import ASK_EVERY_S, MISSES_OF_ONE_THAT_HANGS, Asking
from usage_platform.local.errors import LocalError
from usage_platform.local.pid import read_pid_file
from usage_platform.local.process import ChildProcess
from usage_platform.local.replies import HTTP, port_replies
from usage_platform.local.supervisor import (
    LONGEST_WAIT_S,
    STEADY_AFTER_S,
    Supervisor,
    wait_before_restart,
)


class FakeChild:
    """A child process without a process."""

    def __init__(self, service):
        self.service = service
        self.is_alive = False

    def start(self):
        self.service.prepare()
        self.is_alive = True

    def stop(self):
        self.is_alive = False

    kill = stop

    def why_it_ended(self):
        return f"{self.service.name} ended"

    def rotate_log(self):
        pass


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def faked(monkeypatch, python_service):
    """A supervisor of one fake child that has become ready, its clock, child and lines."""
    monkeypatch.setattr("usage_platform.local.supervisor.ChildProcess", FakeChild)
    monkeypatch.setattr(FakeChild, "wait_ready", lambda self, progress: None, raising=False)
    clock, said = Clock(), []

    def make(**options):
        service = python_service("kafka", **{"ready": lambda: True, **options})
        supervisor = Supervisor([service], said.append, lambda text: None, clock)
        supervisor.start()
        said.clear()
        return supervisor, clock, supervisor._kept[0].child, said

    return make


def until(condition, supervisor) -> None:
    for _ in range(300):
        if condition():
            return
        supervisor.look()
        time.sleep(0.1)
    pytest.fail("it did not come to pass")


def look_after_an_interval(supervisor, clock) -> None:
    """Look once when the next ask is due, and let what is asked then be answered."""
    clock.now += ASK_EVERY_S
    supervisor.look()
    for thread in threading.enumerate():
        if thread.name == "asking":
            thread.join()


@given(st.integers(min_value=1, max_value=50))
def test_the_wait_grows_to_half_a_minute(failures):
    assert wait_before_restart(1) == 1.0
    assert wait_before_restart(failures) <= wait_before_restart(failures + 1) <= LONGEST_WAIT_S
    assert wait_before_restart(50) == 30.0


def test_a_dead_service_is_started_again_after_the_wait(faked):
    supervisor, clock, child, said = faked()
    child.is_alive = False
    supervisor.look()
    clock.now += 0.9
    supervisor.look()
    assert not child.is_alive
    clock.now += 0.2
    supervisor.look()
    supervisor.look()
    assert child.is_alive
    assert said == [
        "kafka ended; starting again in 1 s",
        "kafka: ready again after 0.0 s",
    ]


def test_one_that_keeps_dying_is_waited_for_longer_each_time(faked):
    supervisor, clock, child, said = faked()
    for _ in range(7):
        child.is_alive = False
        supervisor.look()
        clock.now += 30.0
        supervisor.look()
        supervisor.look()
    waits = [line.split()[-2] for line in said if "again in" in line]
    assert waits == ["1", "2", "4", "8", "16", "30", "30"]


def test_the_wait_is_short_again_after_a_minute_of_health(faked):
    supervisor, clock, child, said = faked()
    for _ in range(3):
        clock.now += STEADY_AFTER_S
        child.is_alive = False
        supervisor.look()
        clock.now += 1.0
        supervisor.look()
        supervisor.look()
    assert [line for line in said if "ended" in line] == ["kafka ended; starting again in 1 s"] * 3


def test_one_that_does_not_answer_after_a_restart_is_tried_again(faked):
    answers = [True]
    supervisor, clock, child, said = faked(ready=lambda: answers[0], start_timeout=60.0)
    answers[0] = False
    child.is_alive = False
    supervisor.look()
    clock.now += 1.0
    supervisor.look()
    clock.now += 60.1
    supervisor.look()
    assert not child.is_alive
    assert said[-1] == "kafka did not answer within 60 s; starting again in 2 s"


def test_a_restart_that_cannot_be_prepared_is_said_and_tried_again(faked):
    problem = []

    def prepare():
        if problem:
            raise LocalError(problem[0])

    supervisor, clock, child, said = faked(prepare=prepare)
    problem.append("the disk is full: make room")
    child.is_alive = False
    supervisor.look()
    clock.now += 1.0
    supervisor.look()
    assert said[-1] == "the disk is full: make room; starting again in 2 s"
    problem.clear()
    clock.now += 2.0
    supervisor.look()
    assert child.is_alive


def test_one_that_does_not_answer_for_a_minute_is_started_again(faked):
    supervisor, clock, child, said = faked(ready=lambda: child.service.name not in hanging)
    hanging = {"kafka"}
    for _ in range(MISSES_OF_ONE_THAT_HANGS):
        assert child.is_alive
        look_after_an_interval(supervisor, clock)
    assert child.is_alive
    look_after_an_interval(supervisor, clock)
    assert not child.is_alive
    assert said == [
        "kafka runs but has not answered 6 times in a row; "
        f"see {child.service.log_file}; starting again in 1 s"
    ]
    hanging.clear()
    clock.now += 1.0
    supervisor.look()
    supervisor.look()
    assert said[-1] == "kafka: ready again after 0.0 s"
    for _ in range(2 * MISSES_OF_ONE_THAT_HANGS):
        look_after_an_interval(supervisor, clock)
    assert len(said) == 2


def test_an_answer_in_between_or_a_machine_that_slept_makes_up_for_those_that_are_missing(faked):
    answers = []
    supervisor, clock, child, said = faked(ready=lambda: not answers or answers.pop(0))
    for _ in range(3):
        answers[:] = [False] * (MISSES_OF_ONE_THAT_HANGS - 1) + [True]
        while answers:
            look_after_an_interval(supervisor, clock)
    answers[:] = [False]
    look_after_an_interval(supervisor, clock)
    clock.now += 8 * 3600.0
    for _ in range(3):
        look_after_an_interval(supervisor, clock)
    assert child.is_alive
    assert said == []


def test_one_that_tells_nothing_once_it_is_ready_is_not_asked_again(faked):
    supervisor, clock, _, said = faked(ready=lambda: False, asked_again=False)
    for _ in range(2 * MISSES_OF_ONE_THAT_HANGS):
        look_after_an_interval(supervisor, clock)
    assert said == []


def test_services_start_in_order_and_stop_in_reverse(python_service):
    said = []
    services = [python_service(name) for name in ("kafka", "spark")]
    supervisor = Supervisor(services, said.append, lambda text: None)
    supervisor.start()
    supervisor.stop()
    assert [line.partition(" after")[0] for line in said] == [
        *("kafka: ready", "spark: ready", "spark: stopped", "kafka: stopped")
    ]


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
        return python_service(name, listens, ready=partial(port_replies, port, HTTP), **options)

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


def test_an_ask_that_never_returns_holds_nobody_up_and_is_not_repeated(python_service):
    asked, never = [], threading.Event()

    def ask():
        asked.append(1)
        never.wait()
        return True

    clock = Clock()
    asking = Asking(ask, clock)
    found = []
    for _ in range(MISSES_OF_ONE_THAT_HANGS + 1):
        clock.now += ASK_EVERY_S
        found.append(asking.hangs())
    never.set()
    assert found == [False] * MISSES_OF_ONE_THAT_HANGS + [True]
    assert asked == [1]


def test_when_one_does_not_come_up_those_before_it_are_stopped(python_service):
    first = python_service("first")
    second = python_service("second", "sys.exit(1)")
    with pytest.raises(LocalError, match="second ended with exit code 1"):
        Supervisor([first, second], print, lambda text: None).start()
    assert not first.pid_file.exists()
    assert not second.pid_file.exists()


def test_ctrl_c_while_starting_leaves_no_process(monkeypatch, python_service):
    def interrupted(self, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(ChildProcess, "wait_ready", interrupted)
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
    monkeypatch.setattr("usage_platform.local.process.LARGEST_LOG_BYTES", 1000)
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
