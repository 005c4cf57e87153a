"""Takes each guard away in a copy of the tree, and demands that its test fails: `make guards`.

With an argument only the guards whose name holds it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.guards.guard import Guard
from usage_platform_tests.tools.guards.process_guards import PROCESS_GUARDS
from usage_platform_tests.tools.guards.table_guards import TABLE_GUARDS

_SECONDS = 3600
_SIDE_BY_SIDE = 2
# An assertion of the test itself; an error of the product or of an import says nothing.
_ASSERTED = ("AssertionError", "assert ", "Failed: ")


def main(words: Sequence[str]) -> int:
    """Run the tests as they are, then each without its guard; 0 when every guard was missed."""
    chosen = [
        guard
        for guard in (*TABLE_GUARDS, *PROCESS_GUARDS)
        if all(word in guard.name for word in words)
    ]
    console = Console()
    if not chosen:
        console.print(f"no guard's name holds {' '.join(words)!r}; docs/guards.md has them all")
        return 2
    table = Table("guard", "test", "without it", title="guards")
    with tempfile.TemporaryDirectory(prefix="usage-guards-") as folder:
        trees = [_copy(Path(folder, str(number))) for number in range(_SIDE_BY_SIDE)]
        console.print("first with all guards in place")
        if broken := _outcome(trees[0], *sorted({guard.test for guard in chosen})):
            console.print(f"a test fails with all guards in place: {broken}", markup=False)
            return 1
        missed = 0
        for guard, said in zip(chosen, _without_each(trees, chosen), strict=True):
            noticed = said.startswith(_ASSERTED)
            missed += not noticed
            verdict = "fails, as it must" if noticed else f"NOT NOTICED: {said or 'passes'}"
            console.print(f"{guard.name}: {verdict}", markup=False)
            table.add_row(guard.name, guard.test.partition("::")[2], verdict)
    console.print(table)
    return 1 if missed else 0


def _without_each(trees: Sequence[Path], guards: Sequence[Guard]) -> Iterator[str]:
    """What each guard's test says without it, in their order, as many at a time as trees."""
    free = SimpleQueue[Path]()
    for tree in trees:
        free.put(tree)

    def in_a_free_tree(guard: Guard) -> str:
        tree = free.get()
        try:
            return _without(tree, guard)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        yield from pool.map(in_a_free_tree, guards)


def _copy(folder: Path) -> Path:
    """A tree whose package the tests, and Spark's workers too, import instead of this one."""
    for name in ("usage_platform", "usage_platform_tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / ".usage").symlink_to(ROOT / ".usage")
    return folder


def _without(tree: Path, guard: Guard) -> str:
    path = tree / guard.file
    whole = path.read_text("utf-8")
    assert whole.count(guard.text) == 1, f"{guard.name}: not found once in {guard.file}"
    path.write_text(whole.replace(guard.text, guard.instead), "utf-8")
    try:
        return _outcome(tree, guard.test)
    finally:
        path.write_text(whole, "utf-8")


def _outcome(tree: Path, *tests: str) -> str:
    """What tests say: nothing when they pass, else the first line of a failure."""
    report = tree / "report.xml"
    report.unlink(missing_ok=True)
    # No compiled file may outlive the source that it was made of.
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    # A test that ran out of time would look like one that failed.
    options = ("--timeout=0", f"--junitxml={report}", "-p", "no:cacheprovider")
    command = (sys.executable, "-m", "pytest", *tests, *options)
    run = subprocess.run(
        command, cwd=tree, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if run.returncode == 0:
        return ""
    if not report.exists():
        return f"no report: {run.stdout[-300:]}{run.stderr[-300:]}"
    root = ElementTree.parse(report).getroot()  # noqa: S314 - pytest wrote it just now
    failures = [f.get("message", "") for kind in ("failure", "error") for f in root.iter(kind)]
    asserted = [text for text in failures if text.startswith(_ASSERTED)]
    return (asserted or failures or [run.stdout[-300:]])[0].splitlines()[0][:200] or "no message"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
