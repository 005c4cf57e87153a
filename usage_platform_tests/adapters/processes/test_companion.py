"""A companion answers requests, asks back, and never outlives the process that has started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from usage_platform.adapters.processes import companion
from usage_platform.adapters.processes.companion import Companion, CompanionEndedError
from usage_platform_tests.repository import ROOT
from usage_platform_tests.topics import until


def make_adder():
    """Adds to its sum what it gets by asking for each name."""
    total = 0

    def handle(request, ask):
        nonlocal total
        if request == "work":
            print(os.getpid(), flush=True)
            time.sleep(600)
        if request == ["nap"]:
            time.sleep(2.5)
        total += sum(ask(name) for name in request)
        return total, os.getpid()

    return handle


@pytest.fixture
def adder():
    made = Companion(make_adder)
    yield made
    made.close()


def test_it_carries_out_requests_elsewhere_asks_back_and_keeps_what_it_holds(adder):
    numbers = {"one": 1, "two": 2}
    assert adder.request(["one", "two"], numbers.get) == (3, adder.pid)
    assert adder.request(["two"], numbers.get) == (5, adder.pid)
    assert adder.pid != os.getpid()
    adder.close()
    assert not Path("/proc", str(adder.pid)).exists()


@pytest.mark.parametrize(
    ("sent", "message"),
    [(signal.SIGKILL, r"^its process \d+ ended by signal 9$"), (signal.SIGSTOP, "stands still$")],
    ids=["killed", "stopped"],
)
def test_one_that_is_killed_or_stands_still_is_one_line_and_can_be_closed(
    adder, monkeypatch, sent, message
):
    adder.request([], {}.get)
    monkeypatch.setattr(companion, "_SILENT_SECONDS", 0.5)
    monkeypatch.setattr(companion, "_END_SECONDS", 0.5)
    os.kill(adder.pid, sent)
    with pytest.raises(CompanionEndedError, match=message):
        adder.request([], {}.get)
    adder.close()
    assert not Path("/proc", str(adder.pid)).exists()


LARGE = "x" * 1_000_000


def test_one_that_is_stopped_is_not_waited_for_though_it_does_not_take_all_that_is_sent(
    adder, monkeypatch
):
    assert adder.request([LARGE], {LARGE: 1}.get) == (1, adder.pid)
    monkeypatch.setattr(companion, "_SILENT_SECONDS", 0.5)
    monkeypatch.setattr(companion, "_END_SECONDS", 0.5)
    os.kill(adder.pid, signal.SIGSTOP)
    for _ in range(2):
        with pytest.raises(CompanionEndedError, match=r"stands still$"):
            adder.request([LARGE], {LARGE: 1}.get)
    adder.close()
    assert not Path("/proc", str(adder.pid)).exists()


def test_one_that_is_stopped_while_it_asks_is_not_waited_for(adder, monkeypatch):
    adder.request([], {}.get)
    monkeypatch.setattr(companion, "_SILENT_SECONDS", 0.5)

    def answer(name):
        os.kill(adder.pid, signal.SIGSTOP)
        return LARGE

    with pytest.raises(CompanionEndedError, match=r"stands still$"):
        adder.request(["one"], answer)


def test_an_error_of_the_answer_is_not_taken_for_the_end_of_the_process(adder):
    def answer(name):
        raise FileNotFoundError(name)

    with pytest.raises(FileNotFoundError, match=r"^one$"):
        adder.request(["one"], answer)


def test_one_that_works_for_longer_than_it_may_stand_still_is_waited_for(adder, monkeypatch):
    monkeypatch.setattr(companion, "_SILENT_SECONDS", 2.0)
    assert adder.request(["nap"], {"nap": 7}.get) == (7, adder.pid)


def test_it_ends_soon_after_its_parent_is_killed_though_it_is_at_work():
    begin = f"from {__name__} import *; Companion(make_adder).request('work', None)"
    with subprocess.Popen(
        [sys.executable, "-c", begin], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = Path("/proc", parent.stdout.readline().strip())
        assert worker.is_dir()
        parent.kill()
        until(lambda: not worker.exists())
