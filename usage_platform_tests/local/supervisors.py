"""Processes that start a child as a supervisor does, for tests that kill them."""

import subprocess
import sys
from pathlib import Path

from usage_platform.local.pid import identify
from usage_platform_tests.repository import ROOT
from usage_platform_tests.topics import until


def gone(pid: int) -> bool:
    """Whether a process ends; fails after a time that no slow machine needs."""
    until(lambda: identify(pid) is None)
    return True


def supervisor_of(
    command: str, folder: Path, then: str, first: str = ""
) -> subprocess.Popen[bytes]:
    """A process that starts a child, and then does something."""
    program = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from usage_platform.local.process import ChildProcess, Service\n"
        f"{first}\n"
        "folder = Path(sys.argv[1])\n"
        f"child = ChildProcess(Service('child', {command}, dict(os.environ), folder,"
        " folder / 'log', folder / 'child.pid', lambda: True))\n"
        "child.start()\n"
        f"{then}\n"
    )
    argv = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=ROOT)
