"""The log files of services: the last ones are kept, and none grows without end.

Belongs here: moving log files aside and reading their last words. Not here: who writes them
(`process`).
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

OLD_LOGS_KEPT = 3
LARGEST_LOG_BYTES = 64 * 2**20


def set_aside(log_file: Path) -> None:
    """Move a log aside, before a new one is begun: it becomes .1, and .1 becomes .2."""
    if log_file.exists():
        _make_room(log_file)
        log_file.replace(_numbered(log_file, 1))


def set_aside_if_large(log_file: Path) -> None:
    """Move a log that has grown to `LARGEST_LOG_BYTES` aside, while a process writes to it.

    It is copied and emptied, as the process keeps the file open: what is written between the two is
    lost. Where there is no room for the copy, all logs stay as they are.
    """
    part = log_file.with_name(f"{log_file.name}.part")
    try:
        size = log_file.stat().st_size
        if size < LARGEST_LOG_BYTES or shutil.disk_usage(log_file.parent).free < size:
            return
        shutil.copyfile(log_file, part)
        _make_room(log_file)
        part.replace(_numbered(log_file, 1))
        os.truncate(log_file, 0)
    except OSError:  # A service is of more use than its former log.
        with suppress(OSError):
            part.unlink()


def last_line(log_file: Path) -> str:
    """The last line with a text, at most 200 characters of it; `none` without one."""
    try:
        lines = log_file.read_text("utf-8", "replace").split("\n")
    except OSError:
        return "none"
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "none")


def _make_room(log_file: Path) -> None:
    """Number the older logs one up, so that .1 is free; the oldest one goes."""
    for number in range(OLD_LOGS_KEPT, 1, -1):
        newer = _numbered(log_file, number - 1)
        if newer.exists():
            newer.replace(_numbered(log_file, number))


def _numbered(log_file: Path, number: int) -> Path:
    return log_file.with_name(f"{log_file.name}.{number}")
