"""The wheel alone: built, installed in a fresh virtual environment, run from an empty folder.

The environment has the platform from the wheel and all else from the packages that the tests run
with, as their packages are many gigabytes.
"""

import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import pytest
import requests

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake
from usage_platform.local.pid import identify, read_pid_file, session_members
from usage_platform.settings.settings import PREFIX
from usage_platform_tests.conftest import DATA_DIR
from usage_platform_tests.e2e.conftest import wait_for
from usage_platform_tests.repository import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_SERVICES = ("kafka", "spark", "code", "ui", "daemon", "page")
_UV = Path(sys.executable).with_name("uv")
_STOP_WITHIN_S = 60
_SCRIPT = """#!{python}
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({function}())
"""


def _run(*command: object, **env: str) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The built wheel. The build backend is one of the locked requirements of the tests."""
    folder = tmp_path_factory.mktemp("dist")
    build = (_UV, "build", "--wheel", "--no-build-isolation", "--offline")
    _run(*build, "--python", sys.executable, "--out-dir", folder, ROOT)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def fresh_venv(wheel, tmp_path_factory) -> Path:
    """A virtual environment with the wheel; the other packages are found by a path file."""
    venv = tmp_path_factory.mktemp("fresh") / "venv"
    _run(_UV, "venv", "--offline", "--python", sys.executable, venv)
    python = venv / "bin" / "python"
    _run(_UV, "pip", "install", "--offline", "--no-deps", "--python", python, wheel)
    [packages] = venv.glob("lib/python*/site-packages")
    # Its own path files are not read: the clone that is installed there stays out of sight.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    for script in (s for one in distributions() for s in one.entry_points):
        place = venv / "bin" / script.name
        if script.group != "console_scripts" or place.exists():
            continue
        text = _SCRIPT.format(python=python, module=script.module, function=script.attr)
        place.write_text(text, "utf-8")
        place.chmod(0o755)
    return venv


@dataclass
class Installed:
    """The wheel's command in an empty folder, on ports that nobody else uses."""

    venv: Path
    folder: Path
    env: Mapping[str, str]

    @property
    def data(self) -> Path:
        return self.folder / ".usage"

    def processes(self) -> list:
        """All that the platform runs."""
        named = [read_pid_file(self.data / "run" / f"{name}.pid") for name in _SERVICES]
        assert all(named), named
        pids = {pid for leader in named if leader for pid in session_members(leader.pid)}
        return [found for pid in pids if (found := identify(pid))]


@pytest.fixture(scope="module")
def installed(fresh_venv, tmp_path_factory, unused_port) -> Installed:
    ports = {
        f"{PREFIX}{name}_PORT": str(unused_port()) for name in ("KAFKA", "SPARK", "UI", "PAGE")
    }
    path = f"{fresh_venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith((PREFIX, "PYTHON", "DAGSTER"))
    }
    jars = {f"{PREFIX}JARS": str(DATA_DIR / "jars")}
    few = {
        f"{PREFIX}ALLOW_ROOT": "true",
        f"{PREFIX}INTERVAL_MINUTES": "60",
        f"{PREFIX}GENERATED_DAYS": "2",
    }
    env = {**kept, **ports, **jars, **few, "PATH": path, "COLUMNS": "200"}
    return Installed(fresh_venv, tmp_path_factory.mktemp("empty"), env)


def test_it_is_the_wheels_code_that_runs(installed):
    command = (
        installed.venv / "bin" / "python",
        "-c",
        "import usage_platform as p; print(p.__file__)",
    )
    done = subprocess.run(
        command, cwd=installed.folder, env=installed.env, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).is_relative_to(installed.venv)


def test_up_runs_from_an_empty_folder_and_sigterm_stops_all_of_it(installed):
    log = installed.folder / "up.log"
    assert list(installed.folder.iterdir()) == []
    with log.open("wb") as out:
        process = subprocess.Popen(
            (installed.venv / "bin" / "usage-platform", "up"),
            cwd=installed.folder,
            env=dict(installed.env),
            stdout=out,
            stderr=out,
        )
    try:
        wait_for("up", lambda: process.poll() is not None or "Ctrl-C stops" in log.read_text())
        assert process.poll() is None, log.read_text()
        # Spark's workers, too, find the package: they make the hours.
        reader = LakeReader(Lake(str(installed.data / "lake")))
        wait_for("hours in the lake", lambda: reader.state(USAGE_HOURLY).rows, 600)
        [page] = re.findall(r"the page at (\S+),", log.read_text())
        for name in ("", "static/vendor/uPlot.iife.min.js"):
            assert requests.get(f"{page}/{name}", timeout=60).status_code == 200, name
        seen = installed.processes()
        process.send_signal(signal.SIGTERM)
        assert process.wait(_STOP_WITHIN_S) == 0, log.read_text()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(_STOP_WITHIN_S)
    assert len(seen) >= len(_SERVICES)
    assert [one for one in seen if one.is_alive] == []
    assert sorted(path.name for path in installed.folder.iterdir()) == [".usage", "up.log"]
