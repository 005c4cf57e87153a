"""How the tests are shared among processes, and which come first.

A Spark service is cold for a minute: all tests of the warm one run in one process, one after the
other. So do those of a running platform, which uses processors for as long as it runs: two at once
would each run longer. So do those of a folder whose fixtures are made once for all of its files.
The others are shared by file.
"""

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

from usage_platform_tests.repository import ROOT

_WARM = "the warm Spark service"
_LIVE = "running platforms"
# What takes longest begins first: what is left at the end runs alone.
_FIRST = (
    _LIVE,
    _WARM,
    "test_cuts_of_spark.py",
    "test_cuts_of_streams.py",
    "cluster",
    "terraform",
    "test_lake_on_s3.py",
)


class SharedByGroup(LoadFileScheduling):
    """Gives a process all tests of a group."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(ROOT / super()._split_scope(nodeid))


@cache
def group_of(file: Path) -> str:
    """The group that a file's tests run in."""
    text = file.read_text("utf-8")
    if "mark.e2e" in text:
        return _LIVE
    # Those of faults kill a service of their own.
    if "mark.spark" in text and file.parent.name != "faults":
        return _WARM
    fixtures = file.with_name("conftest.py")
    is_shared = fixtures.exists() and 'scope="package"' in fixtures.read_text("utf-8")
    return str(file.parent if is_shared else file)


def turn_of(file: Path) -> int:
    """When a file's tests begin: what takes minutes before all others."""
    name = Path(group_of(file)).name
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
