"""A lease that is renewed for as long as work is done under it.

Belongs here: the renewals, and telling of a loss. Not here: the lease itself (`lease`).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from usage_platform.adapters.lake.lease import (
    LEASE_SECONDS,
    LakeAwayError,
    Lease,
    LeaseError,
    LeaseLentError,
)

RENEW_SECONDS = 15.0
_TELL_SECONDS = 1.0


class LeaseRenewer:
    """A lease that a thread in the background renews; a context manager.

    Args:
        lease: The lease.
        on_lost: Called in that thread when another holder has it, each second until the block ends;
            raises nothing.
        every: Seconds between renewals.
        may_lend: Whether a lease that this holder has lent counts as kept.
    """

    def __init__(
        self,
        lease: Lease,
        on_lost: Callable[[], None],
        every: float = RENEW_SECONDS,
        may_lend: bool = False,
    ) -> None:
        self._lease = lease
        self._on_lost = on_lost
        self._every = every
        self._may_lend = may_lend
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._lost: LeaseError | None = None
        self._renewed = 0.0

    def __enter__(self) -> Self:
        """Take it.

        Raises:
            LeaseError: When another holder has it, or the lake cannot be reached.
        """
        self._lease.take()
        self._renewed = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Renew it no longer. It is not given back."""
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Make sure that it is still held.

        Raises:
            LeaseError: When it was lost.
        """
        if self._lost is not None:
            raise self._lost

    def _renew(self) -> None:
        while not self._stop.wait(self._every):
            try:
                self._lease.take()
            except LakeAwayError as error:
                # For a moment that is nothing; another one may take the lease when it has expired.
                if time.monotonic() - self._renewed < LEASE_SECONDS:
                    continue
                self._lose(error)
                return
            except LeaseError as error:
                if not (self._may_lend and isinstance(error, LeaseLentError)):
                    self._lose(error)
                    return
            self._renewed = time.monotonic()

    def _lose(self, error: LeaseError) -> None:
        self._lost = error
        # Again and again: work that is between two steps now begins its next one.
        while True:
            self._on_lost()
            if self._stop.wait(_TELL_SECONDS):
                return


@contextmanager
def only_while_held(kept: LeaseRenewer) -> Iterator[None]:
    """Keep a lease for a piece of work; what the work raises after a loss is told as the loss.

    Raises:
        LeaseError: When another holder has it, or took it meanwhile.
    """
    with kept:
        try:
            yield
        except Exception:
            kept.check()
            raise
        kept.check()
