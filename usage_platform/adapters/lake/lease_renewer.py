"""Renews a lease for as long as work is done under it.

Belongs here: the renewals, and reporting a loss. Not here: the lease itself (`lease`).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from usage_platform.adapters.lake.errors import one_line
from usage_platform.adapters.lake.lease import (
    LEASE_SECONDS,
    LakeAwayError,
    Lease,
    LeaseError,
    LeaseLentError,
)

RENEW_SECONDS = 15.0
_TELL_SECONDS = 1.0
_log = logging.getLogger(__name__)


class LeaseRenewer:
    """Renews a lease in a background thread; a context manager.

    Args:
        lease: The lease.
        on_lost: Called in that thread when the lease is lost, each second until the block ends;
            must not raise.
        every: Seconds between renewals.
        may_lend: Whether a lease that this holder has lent counts as held.
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
        """Take the lease.

        Raises:
            LeaseError: When another holder has it, or the lake cannot be reached.
        """
        self._lease.take()
        self._renewed = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop renewing it. It is not returned."""
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
                # A short outage does no harm; after the expiry another holder may take the lease.
                if time.monotonic() - self._renewed < LEASE_SECONDS:
                    continue
                self._lose(error)
                return
            except LeaseError as error:
                if not (self._may_lend and isinstance(error, LeaseLentError)):
                    self._lose(error)
                    return
            except Exception as error:
                # Nobody sees that a thread has ended, and nothing renews the lease after it.
                _log.exception("the lease cannot be renewed")
                reason = f"{type(error).__name__}: {one_line(str(error))}"
                self._lose(LeaseError(f"the lease cannot be renewed ({reason}): see the log"))
                return
            self._renewed = time.monotonic()

    def _lose(self, error: LeaseError) -> None:
        self._lost = error
        # Repeatedly, because work that is between two steps now starts its next one.
        while True:
            self._on_lost()
            if self._stop.wait(_TELL_SECONDS):
                return


@contextmanager
def only_while_held(renewer: LeaseRenewer) -> Iterator[None]:
    """Hold a lease during a block; an exception of the block after a loss becomes the loss.

    Raises:
        LeaseError: When another holder has it, or took it meanwhile.
    """
    with renewer:
        try:
            yield
        except Exception:
            renewer.check()
            raise
        renewer.check()
