"""Who a process is: its number and when it started, so that a reused number is not mistaken for it.

Belongs here: naming a process, asking whether it still lives, and keeping that in a file. Not here:
starting or stopping one.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessId:
    """One process, distinct from later ones of the same number.

    Attributes:
        pid: Its number.
        started: When it started, in whatever form this system gives; only compared.
    """

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs (one that only awaits its parent does not)."""
        return self == identify(self.pid)


def identify(pid: int) -> ProcessId | None:
    """The running process of that number, or None where there is none."""
    started = _from_proc(pid) if _PROC.joinpath("self").exists() else _from_ps(pid)
    return ProcessId(pid, started) if started else None


def write_pid_file(path: Path, process: ProcessId) -> None:
    """Keep `process` in a file, replacing what it held."""
    part = path.with_name(path.name + ".part")
    part.write_text(f"{process.pid} {process.started}\n", "utf-8")
    part.replace(path)


def read_pid_file(path: Path) -> ProcessId | None:
    """The process named in a file; None where the file is missing or unreadable as one."""
    try:
        pid, _, started = path.read_text("utf-8").strip().partition(" ")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return ProcessId(int(pid), started) if pid.isdigit() and started else None


def session_members(session: int) -> list[int]:
    """The living processes of a session, where the system tells (Linux); else none.

    A process keeps its session when it makes a process group of its own, as Spark's Python workers
    do.
    """
    members = []
    for folder in _PROC.glob("[0-9]*"):
        fields = _stat_fields(int(folder.name))
        if fields and fields[0] != "Z" and fields[3] == str(session):
            members.append(int(folder.name))
    return members


def _stat_fields(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat from the state on; empty where there is no such process."""
    try:
        text = _PROC.joinpath(str(pid), "stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The command's name comes before, in parentheses, and may itself hold spaces and parentheses.
    return text.rpartition(")")[2].split()


def _from_proc(pid: int) -> str | None:
    fields = _stat_fields(pid)
    # Field 22 of proc(5), in clock ticks since boot; the state is field 3.
    return fields[19] if fields and fields[0] not in "ZX" else None


def _from_ps(pid: int) -> str | None:
    said = subprocess.run(  # noqa: S603 - no shell, a number as the only argument
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607 - found on PATH everywhere
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/bin:/usr/bin"},
    ).stdout.split()
    return " ".join(said[1:]) if said and not said[0].startswith("Z") else None
