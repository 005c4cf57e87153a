"""A platform in a folder of its own, run by the real commands on ports that nobody else uses."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from usage_platform.settings.settings import PREFIX, Settings
from usage_platform.wiring.platform import Platform as WiredPlatform
from usage_platform_tests.repository import ROOT

_BIN = Path(sys.executable).parent
_LONGEST_COMMAND_S = 600
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Platform:
    """A data folder and the environment of the commands that work on it."""

    data: Path
    env: Mapping[str, str]

    def command(self, *args: str) -> tuple[str, ...]:
        return (str(_BIN / "usage-platform"), "--data", str(self.data), *args)

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the platform to its end."""
        return self._run(self.command(*args), self.env)

    def dagster(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run Dagster's own command on the platform's instance."""
        home = {"DAGSTER_HOME": str(self.data / "dagster_home"), "USAGE_DATA": str(self.data)}
        return self._run((str(_BIN / "dagster"), *args), {**self.env, **home})

    def deployment(self) -> WiredPlatform:
        """The platform's services and places, found as its own commands find them."""
        return WiredPlatform(Settings.from_env(self.env, data=self.data))

    @staticmethod
    def _run(command: tuple[str, ...], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=dict(env),
            capture_output=True,
            text=True,
            timeout=_LONGEST_COMMAND_S,
            check=False,
        )


def platform_in(folder: Path, ask_port: Callable[[], int], **settings: object) -> Platform:
    """A platform in a folder, on ports as asked for; `settings` become `USAGE_*` variables."""
    ports = {f"{name}_port": ask_port() for name in ("kafka", "spark", "ui", "page")}
    env = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    # The tests may run as root, as in a container.
    settings = {"allow_root": True, **ports, **settings}
    given = {f"{PREFIX}{k.upper()}": str(v) for k, v in settings.items()}
    return Platform(folder, {**env, **given, "COLUMNS": "200"})


@pytest.fixture(scope="module")
def platform(tmp_path_factory, unused_port) -> Callable[..., Platform]:
    """Make a platform; `settings` become `USAGE_*` variables."""
    return lambda **settings: platform_in(
        tmp_path_factory.mktemp("platform"), unused_port, **settings
    )


def wait_for(what: str, holds: Callable[[], object], seconds: float = 300) -> None:
    """Look again and again until it holds; fails after a time that only a broken stack needs."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(_LOOK_EVERY_S)


def summary_count(printed: str, what: str) -> int:
    """The number beside `what` in the demo's summary."""
    found = re.search(rf"{re.escape(what)}\W+([\d,]+)", printed)
    assert found, f"no {what!r} in:\n{printed}"
    return int(found[1].replace(",", ""))
