"""A process with all of its session: signalled, killed, and ended when a supervisor left it behind.

Belongs here: which processes belong to a service, and ending them. Not here: starting one
(process), when it is due (supervisor, stack).

A supervisor that is killed leaves more than the processes that it started: those end with it on
Linux, but what they started in turn goes on, such as the process of a run of Dagster.
"""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from usage_platform.local.pid import ProcessId, read_pid_file, session_members

POLL_SECONDS = 0.1
"""Between two looks at a process that is waited for."""

_MARK = "SERVICE_PID_FILE"
_PROC = Path("/proc")
_STOP_WAIT_S = 30.0
_KILL_WAIT_S = 10.0


def marked(env: Mapping[str, str], pid_file: Path) -> dict[str, str]:
    """An environment that says of which service a process is, and so of all that it starts.

    A session's number may be another session's once all of its processes have ended.

    Args:
        env: The environment of the service.
        pid_file: Names its first process.
    """
    return {**env, _MARK: str(pid_file.resolve())}


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a child's process group; one that is gone needs none."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        # macOS answers "not permitted" for a group in which only zombies are left.
        return


def kill_session(session: int) -> None:
    """Kill the living processes of a session, which is known to be the platform's."""
    signal_group(session, signal.SIGKILL)
    for pid in session_members(session):
        _kill(pid)


def reap_all(folder: Path) -> int:
    """Stop all that a killed supervisor left running, before its ports are chosen again.

    Args:
        folder: Where the pid files are; may be missing. Nobody else may use it meanwhile.

    Returns:
        Of how many services something had to be stopped.
    """
    return sum(reap_stale(file, _STOP_WAIT_S) for file in sorted(folder.glob("*.pid")))


def reap_stale(pid_file: Path, stop_timeout: float) -> bool:
    """Stop the process that a killed supervisor left running and all it started; remove its file.

    A number that another process or session has by now is recognised, by the start time or by the
    environment, and left alone.

    Args:
        pid_file: Where the process was named; may be missing.
        stop_timeout: Seconds it may take to stop when asked to, before it is killed.

    Returns:
        Whether something had to be stopped.
    """
    left = read_pid_file(pid_file)
    if left is None:
        pid_file.unlink(missing_ok=True)
        return False
    running = left.is_alive
    if running:
        signal_group(left.pid, signal.SIGTERM)
        if not _wait_gone(left, stop_timeout):
            kill_session(left.pid)
            _wait_gone(left, _KILL_WAIT_S)
    has_rest = _kill_rest(left.pid, pid_file)
    pid_file.unlink(missing_ok=True)
    return running or has_rest


def _kill_rest(session: int, pid_file: Path) -> bool:
    """Kill what the first process of a session has left; whether there was something."""
    end, found = time.monotonic() + _KILL_WAIT_S, False
    # Again, as one that is about to start another may do so while they are listed.
    while rest := [pid for pid in session_members(session) if _has_mark(pid, pid_file)]:
        found = True
        for pid in rest:
            _kill(pid)
        if time.monotonic() > end:
            break
        time.sleep(POLL_SECONDS)
    return found


def _has_mark(pid: int, pid_file: Path) -> bool:
    try:
        entries = _PROC.joinpath(str(pid), "environ").read_bytes().split(b"\0")
    except OSError:  # It has ended, or is another user's.
        return False
    return os.fsencode(f"{_MARK}={pid_file.resolve()}") in entries


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _wait_gone(process: ProcessId, timeout: float) -> bool:
    end = time.monotonic() + timeout
    while process.is_alive:
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True
