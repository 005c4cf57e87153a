"""The id of a data folder as holder of a lease: it stays when the machine gets another host name.

Belongs here: the small file that keeps it. Not here: leases (`lease`).
"""

import fcntl
import json
import socket
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from usage_platform.adapters.lake.lease_record import Holder

_FILE = "holder.json"
_MACHINE = Path("/etc/machine-id")


def holder_of(data_dir: Path, machine: Path = _MACHINE) -> Holder:
    """A data folder on this machine: all processes on the folder are one holder.

    Its id is kept in the folder, with the machine and the path for which it was made: a copy of the
    folder elsewhere is another holder. A folder that cannot be written is known by host and path.

    Args:
        data_dir: The data folder; created if it is missing.
        machine: The file that identifies the machine; it may be missing.
    """
    folder = str(data_dir.resolve())
    made_for = {"folder": folder, "machine": _text(machine)}
    file = data_dir / "run" / _FILE
    with suppress(OSError):
        known = _known(file, made_for) or _created(file, made_for)
        return Holder(socket.gethostname(), folder, known)
    return Holder(socket.gethostname(), folder)


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _known(file: Path, made_for: dict[str, str]) -> str:
    try:
        stored = json.loads(_text(file) or "{}")
        is_ours = all(stored.get(name) == value for name, value in made_for.items())
        return str(stored["id"]) if is_ours else ""
    except (AttributeError, KeyError, ValueError):
        return ""


def _created(file: Path, made_for: dict[str, str]) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another process of this folder may have been first.
        if known := _known(file, made_for):
            return known
        own = file.with_suffix(".new")
        own.write_text(json.dumps({"id": uuid4().hex, **made_for}))
        own.replace(file)
        return _known(file, made_for)
