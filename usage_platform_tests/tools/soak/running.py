"""The platform that a soak watches: `usage-platform up` in a folder and on ports of its own."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.settings.settings import PREFIX
from usage_platform.wiring.platform import Platform as WiredPlatform
from usage_platform_tests.e2e.conftest import Platform
from usage_platform_tests.ports import unused_port
from usage_platform_tests.repository import ROOT

ACCELERATOR = 1000
_HISTORY_DAYS = 28
# Time passes until the platform has settled, too.
_SPARE_DAYS = 21
_READY_WITHIN_S = 1200
_STOP_WITHIN_S = 120
_UPKEEP = "upkeep"
# The least that the settings take.
_SHORT_RETENTION: Mapping[str, str] = {"vacuum_hours": "1", "history_keep_days": "1"}


def _settings(minutes: float) -> dict[str, str]:
    played_days = math.ceil(minutes * ACCELERATOR / (24 * 60))
    given = {
        "accelerator": str(ACCELERATOR),
        "source": "generated",
        "history_days": str(_HISTORY_DAYS),
        "generated_days": str(_HISTORY_DAYS + played_days + _SPARE_DAYS),
    }
    for name in ("kafka", "spark", "ui", "page"):
        given[f"{name}_port"] = str(unused_port())
    return {**given, **_SHORT_RETENTION}


@contextmanager
def running(data: Path, minutes: float) -> Iterator[Platform]:
    """Start the platform with a source that lasts for so many minutes, and stop it at the end.

    Yields it once it has settled: what comes at the start only is no part of the soak.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    env[f"{PREFIX}ALLOW_ROOT"] = "true"
    env |= {f"{PREFIX}{name.upper()}": value for name, value in _settings(minutes).items()}
    with settled(Platform(data, env)) as platform:
        yield platform


@contextmanager
def settled(platform: Platform) -> Iterator[Platform]:
    """Run `usage-platform up`, and stop it at the end.

    Yields the platform once the history is in the lake and a model judges.
    """
    log = platform.data / "up.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            platform.command("up"), cwd=ROOT, env=dict(platform.env), stdout=out, stderr=out
        )
    try:
        _wait(process, log, lambda: "Ctrl-C stops" in log.read_text("utf-8"))
        _wait(process, log, lambda: _has_settled(platform.deployment()))
        yield platform
        if process.poll() is not None:
            sys.exit(f"the platform ended by itself: {log.read_text('utf-8')}")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(_STOP_WITHIN_S)


def _wait(process: subprocess.Popen[bytes], log: Path, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not holds():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the platform did not come up: {log.read_text('utf-8')}")
        time.sleep(1)


def _has_settled(deployment: WiredPlatform) -> bool:
    return deployment.reader.state(USAGE_HOURLY).rows > 0 and bool(deployment.models.manifests())


def launch_upkeep(platform: Platform) -> str:
    """Start the job `upkeep`; says what was done."""
    workspace = str(platform.data / "dagster_home" / "workspace.yaml")
    done = platform.dagster("job", "launch", "-w", workspace, "-j", _UPKEEP)
    if done.returncode:
        return f"the job {_UPKEEP} did not start: {done.stderr.strip().splitlines()[-1]}"
    return f"started the job {_UPKEEP}"
