"""One turn of writing to a lake, and what fences the batches of a turn that is over.

Belongs here: whether a batch may still write, and waiting for one that does. Not here: whose turn
it is (`lease`).

Spark finishes the batch that it runs when the process that started it is killed, and a stream even
begins the next one. Each batch therefore writes under a lock of the machine, after a look at the
lease: a new turn begins with a new number, and then waits for that lock. From then on no batch of a
former turn writes.
"""

import fcntl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from usage_platform.adapters.lake.lease import LeaseError, current_turn
from usage_platform.adapters.lake.tables import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class TurnOverError(LeaseError):
    """Another run writes to the lake by now; one line."""


@dataclass(frozen=True)
class WriteTurn:
    """A turn of writing, as each of its batches gets it; it can be pickled.

    Attributes:
        lake: The lake.
        number: The turn's number in the lease.
        lock_file: Locked while a batch writes, where its folder is on this machine; on the machines
            of a remote cluster it is not, and only the number fences.
    """

    lake: Lake
    number: int
    lock_file: Path

    def write(
        self, write: Callable[["DataFrame", int], None], frame: "DataFrame", batch_id: int
    ) -> None:
        """Write a batch, for Spark's `foreachBatch`.

        Args:
            write: Writes it.
            frame: The batch's rows.
            batch_id: Its number in its stream.

        Raises:
            TurnOverError: When another turn has begun; nothing was written.
        """
        with batch_lock(self.lock_file):
            self.check()
            write(frame, batch_id)

    def check(self) -> None:
        """Make sure that the turn is not over.

        Raises:
            TurnOverError: When another turn has begun.
        """
        if current_turn(self.lake) != self.number:
            raise TurnOverError(
                f"the lake {self.lake.root} is written to by another run by now: what is not "
                "written yet is left to the next one"
            )

    def checked(self, progress: Callable[[str], None]) -> Callable[[str], None]:
        """A report of progress that ends the work when the turn is over."""

        def report(line: str) -> None:
            progress(line)
            self.check()

        return report


@contextmanager
def batch_lock(lock_file: Path) -> Generator[None]:
    """Hold the lock of batches; waits for a batch that writes. It is free when its holder dies.

    A turn that begins holds it once, to wait for the last batch of the turn before.

    Args:
        lock_file: The file; without its folder, as on another machine, nothing is locked.
    """
    if not lock_file.parent.is_dir():
        yield
        return
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
