"""A service is waited for longer each time it dies, and one that does not answer is killed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.local.asking import MISSES_OF_ONE_THAT_HANGS
from usage_platform.local.errors import LocalError
from usage_platform.local.supervisor import (
    LONGEST_WAIT_S,
    STEADY_AFTER_S,
    Supervisor,
    wait_before_restart,
)
from usage_platform_tests.local.supervised import Clock, look_after_an_interval


class FakeChild:
    """A child process without a process."""

    def __init__(self, service):
        self.service = service
        self.is_alive = False

    def end_waits(self):
        pass

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


@pytest.fixture
def faked(monkeypatch, python_service):
    """A supervisor of one fake child that has become ready, its clock, child and lines."""
    monkeypatch.setattr("usage_platform.local.supervisor.ChildProcess", FakeChild)
    monkeypatch.setattr(FakeChild, "has_come_up", lambda self, waited, within: True, raising=False)
    clock, said = Clock(), []

    def make(**options):
        service = python_service("kafka", **{"ready": lambda: True, **options})
        supervisor = Supervisor([service], said.append, lambda text: None, clock)
        supervisor.start()
        said.clear()
        return supervisor, clock, supervisor._kept[0].child, said

    return make


def test_all_end_their_waits_before_the_last_one_is_stopped_first(monkeypatch, python_service):
    monkeypatch.setattr("usage_platform.local.supervisor.ChildProcess", FakeChild)
    monkeypatch.setattr(FakeChild, "has_come_up", lambda self, waited, within: True, raising=False)
    done = []
    for name in ("end_waits", "stop"):
        note = lambda self, what=name: done.append((what, self.service.name))  # noqa: E731
        monkeypatch.setattr(FakeChild, name, note)
    services = [python_service(name) for name in ("code", "daemon")]
    supervisor = Supervisor(services, lambda text: None, lambda text: None, Clock())
    supervisor.start()
    supervisor.stop()
    assert done == [
        *(("end_waits", "code"), ("end_waits", "daemon")),
        *(("stop", "daemon"), ("stop", "code")),
    ]


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
