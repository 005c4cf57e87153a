"""Where a lease is kept: a small object of the lake that is read, and replaced in one step.

Belongs here: the step, as each kind of storage offers it. Not here: what a lease says (`lease`).
"""

import fcntl
from pathlib import Path
from typing import Protocol

from usage_platform.adapters.lake_files import LakeFiles


class LeaseStore(Protocol):
    """Where a lease is kept."""

    def read(self) -> str | None:
        """The lease's text; None before the first."""
        ...

    def replace(self, old: str | None, new: str) -> bool:
        """Write `new` if the text is still `old`, as one step; whether it was."""
        ...


class FolderStore:
    """A lease in a lake on a disk: replaced under a lock on a file beside it."""

    def __init__(self, root: str, name: str) -> None:
        self._files = LakeFiles(root)
        self._name = f"{name}.json"
        self._lock = Path(root) / f"{name}.lock"

    def read(self) -> str | None:
        """The lease's text; None before the first."""
        return self._files.read_text(self._name)

    def replace(self, old: str | None, new: str) -> bool:
        """Write `new` if the text is still `old`, as one step; whether it was."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.read() != old:
                return False
            self._files.write_text(self._name, new)
            return True


class PlainStore:
    """A lease in a lake that offers no lock, such as an object store.

    Not guarded: of two platforms that take a free or expired lease within the same moment, the one
    whose object is put last has it; the other finds that out at its next renewal.
    """

    def __init__(self, root: str, name: str) -> None:
        self._files = LakeFiles(root)
        self._name = f"{name}.json"

    def read(self) -> str | None:
        """The lease's text; None before the first."""
        return self._files.read_text(self._name)

    def replace(self, old: str | None, new: str) -> bool:
        """Write `new` if the text is still `old`; whether it was."""
        if self.read() != old:
            return False
        self._files.write_text(self._name, new)
        return True
