"""Processor time and peak memory of this process, of all that it started, and of some services.

Belongs here: reading Linux's /proc. Not here: what is measured.
"""

import os
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_SECONDS = 0.5
_RESET_PEAK = "5"
_JAVA = "java"


@dataclass(frozen=True)
class _Process:
    """One line of /proc/<pid>/stat (proc(5)), times with those of children that have ended."""

    pid: int
    command: str
    parent: int
    session: int
    cpu_seconds: float


@dataclass
class Usage:
    """What the watched processes used; complete when the watch has ended.

    Attributes:
        cpu_seconds: Processor time of all of them together.
        peaks: The largest memory that each had resident meanwhile, bytes, by process and command.
    """

    cpu_seconds: float = 0.0
    peaks: dict[tuple[int, str], int] = field(default_factory=dict[tuple[int, str], int])

    @property
    def python_peak(self) -> int:
        """The peak of the process with the largest one, Java's left out, bytes."""
        return max((peak for (_, name), peak in self.peaks.items() if name != _JAVA), default=0)

    @property
    def java_peak(self) -> int:
        """The peak of the Java process with the largest one, bytes; 0 without one."""
        return max((peak for (_, name), peak in self.peaks.items() if name == _JAVA), default=0)


@contextmanager
def watched(leaders: Collection[int] = ()) -> Iterator[Usage]:
    """Measure what happens in the block.

    Args:
        leaders: Processes of services which this process did not start: all of their sessions
            count, too.
    """
    usage = Usage()
    before = _of_interest(leaders)
    for one in before:
        with suppress(OSError):
            (_PROC / str(one.pid) / "clear_refs").write_text(_RESET_PEAK)
    ended = threading.Event()
    looking = threading.Thread(target=_look, args=(usage, leaders, ended), daemon=True)
    looking.start()
    try:
        yield usage
    finally:
        ended.set()
        looking.join()
        after = sum(one.cpu_seconds for one in _of_interest(leaders))
        usage.cpu_seconds = after - sum(one.cpu_seconds for one in before)


def cpu_seconds_of(leaders: Collection[int]) -> float:
    """Processor time so far of the sessions of these processes."""
    return sum(one.cpu_seconds for one in _all() if one.session in leaders)


def family_bytes(root: int) -> int:
    """The memory of a process and all that descend from it; what several share counts once."""
    return sum(_proportional_bytes(one.pid) for one in _family(_all(), root))


def resident_bytes() -> int:
    """The memory of this process that is resident now."""
    return _status_bytes(os.getpid(), "VmRSS")


def _look(usage: Usage, leaders: Collection[int], ended: threading.Event) -> None:
    """Note the peaks until the end, and once more then: a process that ends takes its own along."""
    while True:
        is_last = ended.wait(_LOOK_SECONDS)
        for one in _of_interest(leaders):
            with suppress(OSError):
                key = (one.pid, one.command)
                usage.peaks[key] = max(usage.peaks.get(key, 0), _status_bytes(one.pid, "VmHWM"))
        if is_last:
            return


def _of_interest(leaders: Collection[int]) -> list[_Process]:
    """This process, all that descend from it, and the sessions of the leaders."""
    running = _all()
    family = _family(running, os.getpid())
    return [one for one in running if one in family or one.session in leaders]


def _family(running: Iterable[_Process], root: int) -> set[_Process]:
    """A process and all that descend from it."""
    family: set[_Process] = set()
    grown = {one for one in running if one.pid == root}
    while grown != family:
        family, pids = grown, {one.pid for one in grown}
        grown = family | {one for one in running if one.parent in pids}
    return family


def _all() -> list[_Process]:
    found = []
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            found.append(_parsed(int(folder.name), (folder / "stat").read_text("utf-8", "replace")))
    return found


def _parsed(pid: int, text: str) -> _Process:
    # The command's name is in parentheses, and may itself hold spaces and parentheses.
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    ticks = sum(int(one) for one in fields[11:15])
    command = head.partition("(")[2]
    return _Process(pid, command, int(fields[1]), int(fields[3]), ticks / _TICKS)


def _proportional_bytes(pid: int) -> int:
    """Memory of a process, of what n processes share the n-th part; 0 for one that has ended."""
    with suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text("utf-8").splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    return 0


def _status_bytes(pid: int, name: str) -> int:
    for line in (_PROC / str(pid) / "status").read_text("utf-8", "replace").splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    return 0
