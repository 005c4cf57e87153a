"""One turn of alerts at a time for each sink, whichever thread, process or host begins it.

Belongs here: who may send now. Not here: sending (`deliver_alerts`), the lease itself
(`adapters.lake.lease`).

A turn that waits for a slow server can outlive the tick that began it. Were the next tick to begin
another one, both would send the same alerts. Within a data folder a lock on a file excludes them,
which the system frees when its holder ends. Hosts that share a lake on S3 exclude each other by a
lease in it.
"""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from usage_platform.adapters.lake.lease import LakeAwayError, Lease, LeaseError


class SinkBusyError(RuntimeError):
    """Another turn sends the sink's alerts; one line for the tick."""


class SinkTurn:
    """The right to send one sink's alerts.

    Args:
        lock_file: Locked during a turn; its folder is created.
        lease: The lease of the sink in the lake; None where the lake is on this machine alone.
    """

    def __init__(self, lock_file: Path, lease: Lease | None = None) -> None:
        self._lock_file = lock_file
        self._lease = lease

    @contextmanager
    def taken(self) -> Generator[None]:
        """Hold the right during the block; the lease stays with this data folder until it expires.

        Raises:
            SinkBusyError: When another turn has it.
        """
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SinkBusyError("the turn before still waits for the sink's answer") from None
            if self._lease is not None:
                try:
                    self._lease.take()
                except LakeAwayError as error:
                    raise SinkBusyError(str(error)) from None
                except LeaseError:
                    raise SinkBusyError("another platform on this lake sends them") from None
            yield
