"""The lease on the lake: one platform writes to it at a time, whichever machine it runs on.

Belongs here: who holds the lease, for how long, and how it changes hands. Not here: the work under
it, or the lock between the processes of one data folder (`services.lake_writer`).

A lease is a small JSON object in the lake, `leases/<name>.json`, that its holder renews while it
lives. The same holder, a data folder, always gets it again at once: a platform that was
killed need not wait for itself. Another one gets it when it was returned, or was not renewed for
`LEASE_SECONDS`.

Its holder can lend it to a job elsewhere, which then renews it and returns it to its lender. A job
only ever renews it: one that starts after the lease went to another holder does nothing.

Expiry is decided by the clock of the machine that asks: machines that share a lake must synchronise
their clocks (NTP) to well within `LEASE_SECONDS`. After a clock was set back, a lease is free once
nobody has renewed it for `LEASE_SECONDS` of waiting. A holder that was suspended for longer than
that, and writes before its next renewal, is not stopped before that renewal.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.lease_record import Held, Holder
from usage_platform.adapters.lake.lease_store import LeaseStore, store_of
from usage_platform.adapters.lake.tables import Lake

WRITER = "writer"
LEASE_SECONDS = 60.0
_TRIES = 5
# Of a lease that cannot be checked by the clock, within the time that it lasts.
_LOOKS = 12
# Between clocks that are synchronised.
_SKEW_SECONDS = 30.0

Clock = Callable[[], datetime]


class LeaseError(RuntimeError):
    """Another platform holds the lease; one line with its name and what to do."""


class LeaseLentError(LeaseError):
    """A job of this platform has borrowed the lease."""


class LakeAwayError(LeaseError):
    """The stored lease cannot be read or written."""


def _now() -> datetime:
    return datetime.now(UTC)


def _expiry(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_SECONDS)


class Lease:
    """One holder's side of the lease.

    Args:
        lake: Root of the lake, for error texts.
        store: Stores the lease.
        holder: The holder on this side.
        clock: Gives the current time, UTC.
        borrowed: Whether it can only be renewed, as by a job that has borrowed it.
        pause: Waits for so many seconds, whatever the clock says.
    """

    def __init__(
        self,
        lake: str,
        store: LeaseStore,
        holder: Holder,
        clock: Clock = _now,
        borrowed: bool = False,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._lake = lake
        self._store = store
        self._holder = holder
        self._clock = clock
        self._borrowed = borrowed
        self._pause = pause
        self._had_it = False

    def take(self) -> None:
        """Take the lease, or renew it if this holder has it.

        Raises:
            LeaseError: When another holder has it, or a borrower no longer has it.
            LeaseLentError: When this holder has lent it.
            LakeAwayError: When the lake cannot be read or written.
        """
        with self._away_in_one_line():
            self._take()

    def begin_turn(self) -> int:
        """Take the lease for a new turn of writing; what was begun in a former turn is fenced.

        Returns:
            The turn's number, higher than that of all turns before.

        Raises:
            LeaseError: As for `take`.
        """
        with self._away_in_one_line():
            return self._take(begins=True).turn

    def lend(self, borrower: Holder) -> "Lease":
        """Take the lease and lend it to a job elsewhere, until that returns it or dies.

        Returns:
            The borrower's side, which must be renewed from now on.

        Raises:
            LeaseError: As for `take`.
        """
        self.take()
        with self._away_in_one_line():
            text = self._store.read()
            now = self._clock()
            turn = 0 if text is None else self._parsed(text).turn + 1
            lent = Held(borrower, now, now, _expiry(now), self._holder, turn)
            # Only another process of this holder can have renewed it in between.
            if text is None or not self._store.replace(text, lent.text()):
                return self.lend(borrower)
        return Lease(self._lake, self._store, borrower, self._clock, borrowed=True)

    @contextmanager
    def _away_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except LakeError as error:
            raise LakeAwayError(str(error)) from None
        except UnicodeDecodeError:
            raise self._no_lease() from None
        except OSError as error:
            raise LakeAwayError(
                f"the lake {self._lake} cannot be reached ({error}): check USAGE_LAKE, and that "
                "this user may write there"
            ) from None

    def _take(self, begins: bool = False) -> Held:
        for _ in range(_TRIES):
            text = self._store.read()
            held = None if text is None else self._parsed(text)
            now = self._clock()
            turn = 0 if held is None else held.turn
            if held is not None and held.holder.is_same(self._holder):
                renewed = replace(held, holder=self._holder, renewed=now, expires=_expiry(now))
                mine = replace(renewed, turn=turn + begins)
            elif self._borrowed:
                raise LeaseError(
                    f"the lake {self._lake} is no longer lent to the job {self._holder}: nothing "
                    "more is written by it; start it again if its work is still wanted"
                )
            elif held is None or held.expires <= now or self._is_abandoned(held, text, now):
                mine = Held(self._holder, now, now, _expiry(now), turn=turn + 1)
            else:
                raise self._refusal(held)
            if self._store.replace(text, mine.text()):
                self._had_it = True
                return mine
        raise LeaseError(f"the lake {self._lake}: its lease keeps changing: try again")

    def _is_abandoned(self, held: Held, text: str | None, now: datetime) -> bool:
        """Whether nobody renews a lease whose expiry this machine's clock cannot tell.

        An expiry that is further away than a lease lasts says that a clock was set back since it
        was renewed, or that the holder's clock is ahead. A living holder renews it meanwhile.
        """
        possible = timedelta(seconds=LEASE_SECONDS + _SKEW_SECONDS)
        # Who had it before and lost it must hear of that at once.
        if self._had_it or held.expires - now <= possible:
            return False
        for _ in range(_LOOKS):
            self._pause(LEASE_SECONDS / _LOOKS)
            if self._store.read() != text:
                return False
        return True

    def give_back(self) -> None:
        """Return the lease, so that another holder can take it at once.

        Nothing happens if this holder does not have it any more. In a lake that is unreachable or
        full the lease is left to expire.
        """
        with suppress(LakeError, OSError):
            self._give_back()

    def _give_back(self) -> None:
        text = self._store.read()
        held = None if text is None else self._parsed(text)
        if text is None or held is None or not held.holder.is_same(self._holder):
            return
        now = self._clock()
        back = replace(held, renewed=now, expires=now)
        if held.lender is not None:
            back = Held(held.lender, now, now, _expiry(now), turn=held.turn)
        self._store.replace(text, back.text())

    def _refusal(self, held: Held) -> LeaseError:
        until = f"until {held.expires:%Y-%m-%d %H:%M:%S}Z and renews that while it runs"
        if held.lender is not None and held.lender.is_same(self._holder):
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
            raise self._no_lease() from None

    def _no_lease(self) -> LeaseError:
        return LeaseError(
            f"the lake {self._lake}: leases/{WRITER}.json is not a lease: make sure that no "
            "platform writes there, and delete the file"
        )


def writer_lease(lake: Lake, holder: Holder, borrowed: bool = False) -> Lease:
    """The lease of writers to a lake.

    Args:
        lake: The lake.
        holder: The holder on this side.
        borrowed: Whether it was lent to the holder, which then can only renew it.
    """
    return Lease(lake.root, _writer_store(lake), holder, borrowed=borrowed)


def current_turn(lake: Lake) -> int:
    """The number of the turn in which a lake is written to; 0 before the first one.

    Raises:
        OSError: When the lake cannot be read.
        ValueError: When what is stored is not a lease.
    """
    text = _writer_store(lake).read()
    return 0 if text is None else Held.parsed(text).turn


def sink_lease(lake: Lake, sink: str, holder: Holder) -> Lease:
    """The lease of those who send the alerts of one sink."""
    return Lease(lake.root, store_of(f"{lake.root}/leases", f"alerts-{sink}"), holder)


def _writer_store(lake: Lake) -> LeaseStore:
    return store_of(f"{lake.root}/leases", WRITER)
