"""What each file of tests takes: seconds of a processor and of the clock, printed at the end.

Beside pytest's own `--durations`, which knows the clock alone: a machine that does other work, or
four processes on two processors, stretch that. A file is charged with all that its process and the
processes under it use while its tests run: with a cold Spark too, if it is the first to ask for
one. Linux only, as it reads /proc.

Belongs here: measuring and the table. Not here: how tests are shared among processes (sharing).
"""

import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_HERTZ = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_OUTPUT = "seconds_by_file"
_START, _END = "(start and collection)", "(end of the session)"


@dataclass
class Usage:
    """Seconds of a processor and of the clock."""

    cpu: float = 0.0
    wall: float = 0.0

    def add(self, cpu: float, wall: float) -> None:
        """Add what was used in between."""
        self.cpu += cpu
        self.wall += wall


@dataclass
class Meter:
    """Reads how much processor time a process and all under it have used so far.

    A process whose parent has waited for it is in the parent's figure. One that lost its parent is
    known by its number and start, and counts with what was last seen of it.
    """

    root: int = field(default_factory=os.getpid)
    _orphans: dict[tuple[int, int], float] = field(default_factory=dict)
    _known: dict[tuple[int, int], float] = field(default_factory=dict)

    def seconds(self) -> float:
        """Seconds of a processor since the process was started."""
        stats = {stat.pid: stat for path in _PROC.glob("[0-9]*") if (stat := _stat(path))}
        children = defaultdict(list)
        for stat in stats.values():
            children[stat.parent].append(stat)
        ours, queue = {}, [stats[self.root]]
        queue += [s for s in stats.values() if s.key in self._known or s.key in self._orphans]
        while queue:
            stat = queue.pop()
            if stat.key not in ours:
                ours[stat.key] = stat
                queue += children[stat.pid]
        pids = {pid for pid, _ in ours}
        for key, stat in ours.items():
            if stat.pid != self.root and stat.parent not in pids:
                self._orphans[key] = stat.seconds
        self._known = {key: stat.seconds for key, stat in ours.items()}
        gone = sum(spent for key, spent in self._orphans.items() if key not in ours)
        return gone + sum(self._known.values())


@dataclass(frozen=True)
class _Stat:
    pid: int
    parent: int
    started: int
    seconds: float

    @property
    def key(self) -> tuple[int, int]:
        return self.pid, self.started


def _stat(folder: Path) -> _Stat | None:
    try:
        text = (folder / "stat").read_text()
    except OSError:  # It has ended meanwhile.
        return None
    # The name in brackets may hold spaces; see proc(5) for the fields behind it.
    fields = text.rpartition(")")[2].split()
    used = sum(map(int, fields[11:15])) / _HERTZ
    return _Stat(int(folder.name), int(fields[1]), int(fields[19]), used)


class Profile:
    """Charges each file with what is used while its tests run."""

    def __init__(self, is_charged: bool) -> None:
        self.files: dict[str, Usage] = defaultdict(Usage)
        self._is_charged = is_charged
        self._meter = Meter()
        self._at = (0.0, time.monotonic())

    def charge(self, name: str) -> None:
        """Charge all that was used since the last charge."""
        if not self._is_charged:
            return
        cpu, wall = self._meter.seconds(), time.monotonic()
        self.files[name].add(cpu - self._at[0], wall - self._at[1])
        self._at = cpu, wall

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.charge(_START)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None):
        try:
            return (yield)
        finally:
            self.charge(item.location[0])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.charge(_END)
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = {name: (used.cpu, used.wall) for name, used in self.files.items()}

    def pytest_testnodedown(self, node, error: object) -> None:
        # A process that crashed has no output.
        for name, used in getattr(node, "workeroutput", {}).get(_OUTPUT, {}).items():
            self.files[name].add(*used)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        number = int(terminalreporter.config.getoption("profile_files") or 0)
        by_cpu = sorted(self.files.items(), key=lambda pair: -pair[1].cpu)
        terminalreporter.section(f"the {min(number, len(by_cpu))} files that take most")
        terminalreporter.write_line("  CPU s   wall s")
        for name, used in by_cpu[:number]:
            terminalreporter.write_line(f"{used.cpu:7.1f}  {used.wall:7.1f}  {name}")
        total = Usage()
        for used in self.files.values():
            total.add(used.cpu, used.wall)
        terminalreporter.write_line(f"{total.cpu:7.1f}  {total.wall:7.1f}  all, in all processes")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--profile-files",
        type=int,
        metavar="N",
        default=0,
        help="print what the N files that take most took, in seconds of a processor",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("profile_files"):
        # The process that shares the tests among others runs none.
        shares = config.pluginmanager.hasplugin("dsession")
        config.pluginmanager.register(Profile(is_charged=not shares), "profile of files")
