"""The lease on the lake: one platform writes to it at a time, whichever machine it runs on.

Belongs here: who holds the lease, for how long, and how it changes hands. Not here: what is done
while it is held, or the lock between the processes of one data folder (`deployment`).

A lease is a small JSON object in the lake, `leases/<name>.json`, that its holder renews while it
lives. The same holder, a data folder on a host, always has it again at once: a platform that was
killed need not wait for itself. Another one gets it when it was given back, or was not renewed for
`LEASE_SECONDS`.

Its holder can lend it to a job elsewhere, which then renews it and gives it back to its lender. A
job only ever renews it: one that begins after the lease has gone to somebody else does nothing.

Expiry is judged by the clock of whoever asks: machines that share a lake must keep their clocks
(NTP) to well within `LEASE_SECONDS`. A holder that the system stopped for longer than that, and
that writes before its next renewal, is not held back; it stops at that renewal.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.lease_record import Held, Holder
from usage_platform.adapters.lake.lease_store import FolderStore, LeaseStore, ObjectStore
from usage_platform.adapters.lake.tables import Lake

WRITER = "writer"
LEASE_SECONDS = 60.0
_TRIES = 5

Clock = Callable[[], datetime]


class LeaseError(RuntimeError):
    """The lake belongs to another platform; one line that says to which, and what to do."""


class LeaseLentError(LeaseError):
    """A job of this platform writes to the lake just now."""


class LakeAwayError(LeaseError):
    """The place where the lease is kept cannot be read or written."""


def _now() -> datetime:
    return datetime.now(UTC)


def _expiry(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_SECONDS)


class Lease:
    """One holder's side of the lease.

    Args:
        lake: The lake's root, for messages.
        store: Where it is kept.
        holder: Who asks.
        clock: The time, UTC.
        borrowed: Whether it can only be renewed, as by a job that it was lent to.
    """

    def __init__(
        self,
        lake: str,
        store: LeaseStore,
        holder: Holder,
        clock: Clock = _now,
        borrowed: bool = False,
    ) -> None:
        self._lake = lake
        self._store = store
        self._holder = holder
        self._clock = clock
        self._borrowed = borrowed

    def take(self) -> None:
        """Take the lease, or renew it where this holder has it.

        Raises:
            LeaseError: When another holder has it, or a borrower no longer has it.
            LeaseLentError: When this holder has lent it.
            LakeAwayError: When the lake cannot be read or written.
        """
        with self._away_in_one_line():
            self._take()

    def lend(self, borrower: Holder) -> "Lease":
        """Take the lease and give it to a job elsewhere, until that gives it back or dies.

        Returns:
            The borrower's side, to be renewed from now on.

        Raises:
            LeaseError: As for `take`.
        """
        self.take()
        with self._away_in_one_line():
            text = self._store.read()
            now = self._clock()
            lent = Held(borrower, now, now, _expiry(now), self._holder)
            # Of all who renew it, only this holder itself can have come between.
            if text is None or not self._store.replace(text, lent.text()):
                return self.lend(borrower)
        return Lease(self._lake, self._store, borrower, self._clock, borrowed=True)

    @contextmanager
    def _away_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except LakeError as error:
            raise LakeAwayError(str(error)) from None
        except OSError as error:
            raise LakeAwayError(
                f"the lake {self._lake} cannot be reached ({error}): check USAGE_LAKE, and that "
                "this user may write there"
            ) from None

    def _take(self) -> None:
        for _ in range(_TRIES):
            text = self._store.read()
            held = None if text is None else self._parsed(text)
            now = self._clock()
            if held is not None and held.holder == self._holder:
                mine = replace(held, renewed=now, expires=_expiry(now))
            elif self._borrowed:
                raise LeaseError(
                    f"the lake {self._lake} is no longer lent to the job {self._holder}: nothing "
                    "more is written by it; start it again if its work is still wanted"
                )
            elif held is None or held.expires <= now:
                mine = Held(self._holder, now, now, _expiry(now))
            else:
                raise self._refusal(held)
            if self._store.replace(text, mine.text()):
                return
        raise LeaseError(f"the lake {self._lake}: its lease changes all the time: try again")

    def give_back(self) -> None:
        """Let another holder have it at once; where this one has it no more, nothing is done.

        In a lake that is away or full it is left to expire.
        """
        with suppress(LakeError, OSError):
            self._give_back()

    def _give_back(self) -> None:
        text = self._store.read()
        held = None if text is None else self._parsed(text)
        if text is None or held is None or held.holder != self._holder:
            return
        now = self._clock()
        back = replace(held, renewed=now, expires=now)
        if held.lender is not None:
            back = Held(held.lender, now, now, _expiry(now))
        self._store.replace(text, back.text())

    def _refusal(self, held: Held) -> LeaseError:
        until = f"until {held.expires:%Y-%m-%d %H:%M:%S}Z and renews that while it runs"
        if held.lender == self._holder:
            return LeaseLentError(
                f"the lake {self._lake} is lent to the job {held.holder}, which has it {until}: "
                "wait for its end (after a crash, wait until then)"
            )
        return LeaseError(
            f"the lake {self._lake} is written to by {held.holder}, which has it {until}: stop the "
            "platform there (after a crash, wait until then), or choose another USAGE_LAKE"
        )

    def _parsed(self, text: str) -> Held:
        try:
            return Held.parsed(text)
        except ValueError:
            raise LeaseError(
                f"the lake {self._lake}: leases/{WRITER}.json is no lease: make sure that no "
                "platform writes there, and delete the file"
            ) from None


def writer_lease(lake: Lake, holder: Holder, borrowed: bool = False) -> Lease:
    """The lease that allows to write to a lake.

    Args:
        lake: The lake.
        holder: Who asks.
        borrowed: Whether it was lent to the holder, which then never takes it anew.
    """
    root = f"{lake.root}/leases"
    store = ObjectStore(root, WRITER) if "://" in root else FolderStore(root, WRITER)
    return Lease(lake.root, store, holder, borrowed=borrowed)
