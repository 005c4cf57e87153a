"""What the rounds do to a service reaches it whatever its helpers do meanwhile."""

import os
import signal
import subprocess
import sys

import pytest

from usage_platform.local.process import Service
from usage_platform_tests.tools.faults import services
from usage_platform_tests.tools.faults.services import RunningService


@pytest.fixture
def service(tmp_path):
    argv = ("sleep", "300")
    files = (tmp_path, tmp_path / "log", tmp_path / "pid")
    running = RunningService(Service("sleeper", argv, dict(os.environ), *files, lambda: True))
    running.start()
    yield running
    running.stop()


def test_a_signal_reaches_a_service_whose_helper_ends_just_then(service, monkeypatch):
    helper = subprocess.Popen([sys.executable, "-c", ""])
    helper.wait()
    monkeypatch.setattr(services, "session_members", lambda session: [helper.pid, session])
    service.send(signal.SIGKILL)
    assert service._child._process.wait(10) == -signal.SIGKILL
