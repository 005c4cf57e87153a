"""Which process listens on a port: another program may have taken it before the service did.

Belongs here: asking the system. Not here: whether what listens answers (`replies`), which port a
service gets (`ports`).
"""

from contextlib import suppress
from functools import partial
from pathlib import Path

from usage_platform.local.pid import read_pid_file, session_members
from usage_platform.local.replies import server_replies

_PROC = Path("/proc")
_LISTENS = "0A"


def own_server_replies(port: int, greeting: bytes, pid_file: Path) -> bool:
    """Whether the process of a service replies on its port, and not another program.

    Args:
        port: A port on 127.0.0.1.
        greeting: As for `replies.server_replies`.
        pid_file: Names the process.
    """
    return server_replies(port, greeting) and is_listener(pid_file, port)


def is_listener(pid_file: Path, port: int) -> bool:
    """Whether the process that a file names, or one of its session, listens on a port.

    Where the system does not tell (it is not Linux), the port's listener counts as that process.
    """
    tables = [table for name in ("tcp", "tcp6") if (table := _PROC / "net" / name).exists()]
    if not tables:
        return True
    named = read_pid_file(pid_file)
    if named is None or not named.is_alive:
        return False
    sockets = {f"socket:[{inode}]" for table in tables for inode in _listening(table, port)}
    return any(map(partial(_holds_any, sockets), session_members(named.pid)))


def _listening(table: Path, port: int) -> list[str]:
    """The inodes of the sockets that listen on a port, by a table of proc(5)."""
    rows = [line.split() for line in table.read_text("ascii").splitlines()[1:]]
    here = f":{port:04X}"
    return [row[9] for row in rows if row[1].endswith(here) and row[3] == _LISTENS]


def _holds_any(sockets: set[str], pid: int) -> bool:
    # It may end meanwhile.
    with suppress(OSError):
        for descriptor in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) in sockets:
                    return True
    return False
