"""Write access to the lake: one turn at a time, whichever process or platform asks.

Belongs here: taking turns among the processes of a data folder, with a Spark session or without,
and holding the lease meanwhile. Not here: the lease itself (`adapters.lake.lease`), how a session
is made (an argument).
"""

import fcntl
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from usage_platform.adapters.lake.lease import Lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.lease_renewer import LeaseRenewer, only_while_held
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.lake.write_turn import WriteTurn, batch_lock
from usage_platform.adapters.spark.session import interrupt

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OpenSession = Callable[[], AbstractContextManager["SparkSession"]]
"""Makes a context manager that opens a Spark session and closes it at the end."""


class LakeWriter:
    """Write access to a lake for one data folder.

    Args:
        lease: The lease on the lake, as this data folder's.
        lake: The lake.
        lock_file: Locked while a process of the data folder writes; its folder is created. Beside
            it are the locks of the process that waits next, and of a batch that writes.
        open_session: Makes the session. It is called before the turn begins, so that a session
            that cannot be opened on this machine fails without waiting.
        keeps_lease: Whether the lease stays taken after a turn, as it does while a stack runs.
    """

    def __init__(
        self,
        lease: Lease,
        lake: Lake,
        lock_file: Path,
        open_session: OpenSession,
        keeps_lease: Callable[[], bool],
    ) -> None:
        self._lease = lease
        self._lake = lake
        self._lock_file = lock_file
        self._next_file = lock_file.with_name(f"{lock_file.name}_next")
        self._batch_file = lock_file.with_name(f"{lock_file.name}_batch")
        self._open_session = open_session
        self._keeps_lease = keeps_lease

    @contextmanager
    def turn(self) -> Generator[WriteTurn]:
        """The right to write to the lake, without Spark.

        One process has it at a time. Otherwise a backfill that read an hour's readings just before
        a micro-batch added one would put the older average over the newer. The processes of this
        data folder wait for each other; another platform on the same lake is refused.

        Who writes for long calls `WriteTurn.check` now and then: the lease may be lost.

        Raises:
            LeaseError: When another platform writes to the lake, or took the lease meanwhile.
        """
        # Nothing runs elsewhere that could be interrupted.
        with self._begun() as turn, only_while_held(LeaseRenewer(self._lease, lambda: None)):
            yield turn

    @contextmanager
    def session(self) -> Generator["SparkSession"]:
        """A Spark session that may write to the lake, for as long as the turn lasts.

        Raises:
            LeaseError: As for `turn`.
            LocalError: When a session of this process would find no Java.
        """
        with self.streaming() as (spark, _):
            yield spark

    @contextmanager
    def streaming(self) -> Generator[tuple["SparkSession", WriteTurn]]:
        """A session as from `session`, and the turn that the batches of its streams write in.

        Raises:
            LeaseError: As for `session`.
            LocalError: As for `session`.
        """
        session = self._open_session()
        with self._begun() as turn, session_under_lease(self._lease, session) as spark:
            yield spark, turn

    @contextmanager
    def _begun(self) -> Generator[WriteTurn]:
        with self._alone():
            turn = WriteTurn(self._lake, self._lease.begin_turn(), self._batch_file)
            # Spark may still write the batch of a run that was killed.
            with batch_lock(self._batch_file):
                pass
            yield turn

    @contextmanager
    def at_rest(self) -> Generator[None]:
        """Nobody of this data folder writes to the lake within the block, so that reads agree.

        Its end is waited for as for a turn: keep the block short.
        """
        with _exclusive(self._lock_file, self._next_file), batch_lock(self._batch_file):
            yield

    def is_awaited(self) -> bool:
        """Whether another process of this data folder waits for its turn."""
        with self._next_file.open("w") as next_in_line:
            try:
                fcntl.flock(next_in_line, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextmanager
    def lending(self, borrower: Holder) -> Generator[Lease]:
        """Lend the lease to a job elsewhere, in place of a session on this machine.

        The lease is renewed on the job's behalf, because the job may take minutes to start; then
        the job renews it itself. The job returns it at its end, whatever has happened to this
        process. A caller that knows that the job has ended, or never started, returns it instead.

        Returns:
            The borrower's side of the lease.

        Raises:
            LeaseError: When another platform writes to the lake, or a job of this one.
        """
        with self._alone():
            lent = self._lease.lend(borrower)
            # The job notices and reports a lost lease: this process writes nothing.
            with LeaseRenewer(lent, lambda: None):
                yield lent

    @contextmanager
    def _alone(self) -> Generator[None]:
        with _exclusive(self._lock_file, self._next_file):
            try:
                yield
            finally:
                if not self._keeps_lease():
                    self._lease.give_back()


@contextmanager
def session_under_lease(
    lease: Lease, session: AbstractContextManager["SparkSession"]
) -> Generator["SparkSession"]:
    """Take the lease, open a session, and renew the lease until the block ends.

    The lease stays taken afterwards. Work in Spark is interrupted when the lease is lost.

    Args:
        lease: The right to write.
        session: Opens the session when entered.

    Raises:
        LeaseError: When another holder has the lease, or took it meanwhile.
    """
    # Before the session, which takes long to start.
    lease.take()
    with (
        session as spark,
        only_while_held(LeaseRenewer(lease, partial(interrupt, spark))),
    ):
        yield spark


@contextmanager
def _exclusive(lock_file: Path, next_file: Path) -> Generator[None]:
    """Wait until no other process writes; the system frees the locks when their holder ends.

    The one that waits next holds the lock of `next_file` meanwhile, which shows that one waits.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as lock:
        with next_file.open("w") as next_in_line:
            fcntl.flock(next_in_line, fcntl.LOCK_EX)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
