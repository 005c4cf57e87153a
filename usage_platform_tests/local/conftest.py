"""Fixtures of the local services: a Java, the jars, and small services made of Python."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from usage_platform.local.jars import JarFolders, ensure_jars
from usage_platform.local.java import JavaHome, ensure_java
from usage_platform.local.process import Service

DATA_DIR = Path(__file__).resolve().parents[2] / ".usage"


@pytest.fixture(scope="session")
def java() -> JavaHome:
    return ensure_java(DATA_DIR, os.environ, print)


@pytest.fixture(scope="session")
def jar_folders(java: JavaHome) -> JarFolders:
    return ensure_jars(DATA_DIR / "jars", java, os.environ, print, lambda text: None)


@pytest.fixture
def unused_port() -> Callable[[], int]:
    """Ports the system hands out, so that tests do not meet a running stack."""

    def ask() -> int:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            return sock.getsockname()[1]

    return ask


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
