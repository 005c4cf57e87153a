"""Fixtures of the local services: small services made of Python, and a machine without a Java."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from usage_platform.local import java
from usage_platform.local.process import Service


@pytest.fixture
def python_service(tmp_path: Path) -> Callable[..., Service]:
    """Describe a service that runs a piece of Python, ready when the file `<name>.up` is there."""

    def make(name: str = "child", code: str = "", **options) -> Service:
        up = tmp_path / f"{name}.up"
        program = (
            "import os, pathlib, signal, subprocess, sys, time\n"
            f"{code}\npathlib.Path({str(up)!r}).touch()\ntime.sleep(600)\n"
        )
        described = {
            "name": name,
            "argv": (sys.executable, "-c", program),
            "env": dict(os.environ),
            "cwd": tmp_path,
            "log_file": tmp_path / "logs" / f"{name}.log",
            "pid_file": tmp_path / "run" / f"{name}.pid",
            "ready": up.exists,
            "stop_timeout": 10.0,
            "prepare": lambda: up.unlink(missing_ok=True),
        }
        return Service(**{**described, **options})

    return make


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path):
    """Only what a test names is looked at, not what this machine has."""
    real = java._candidates
    monkeypatch.setattr(
        java,
        "_candidates",
        lambda env, data: (path for path in real(env, data) if path.is_relative_to(tmp_path)),
    )
