"""The lease on the lake: one platform writes to it at a time, whichever machine it runs on.

Belongs here: who holds the lease, for how long, and how it changes hands. Not here: what is done
while it is held, or the lock between the processes of one data folder (`deployment`).

A lease is a small JSON object in the lake, `leases/<name>.json`, that its holder renews while it
lives. The same holder, a data folder on a host, always has it again at once: a platform that was
killed need not wait for itself. Another one gets it when it was given back, or was not renewed for
`LEASE_SECONDS`.

Expiry is judged by the clock of whoever asks: machines that share a lake must keep their clocks
(NTP) to well within `LEASE_SECONDS`. A holder that the system stopped for longer than that, and
that writes before its next renewal, is not held back; it stops at that renewal.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from usage_platform.adapters.lake_errors import LakeError
from usage_platform.adapters.lake_tables import Lake
from usage_platform.adapters.lease_store import FolderStore, LeaseStore, PlainStore

WRITER = "writer"
LEASE_SECONDS = 60.0
RENEW_SECONDS = 15.0
_TRIES = 5
_TELL_SECONDS = 1.0

Clock = Callable[[], datetime]


class LeaseError(RuntimeError):
    """The lake belongs to another platform; one line that says to which, and what to do."""


class LakeAwayError(LeaseError):
    """The place where the lease is kept cannot be read or written."""


@dataclass(frozen=True)
class Holder:
    """Who may hold a lease: a data folder on a host.

    Attributes:
        host: The machine's name.
        folder: The absolute data folder.
    """

    host: str
    folder: str

    def __str__(self) -> str:
        return f"{self.host}:{self.folder}"


@dataclass(frozen=True)
class Held:
    """What is written down of a lease; all times are UTC.

    Attributes:
        holder: Who has it.
        taken: Since when.
        renewed: When it was renewed last.
        expires: From when on another one may take it.
    """

    holder: Holder
    taken: datetime
    renewed: datetime
    expires: datetime

    def text(self) -> str:
        """As JSON."""
        times = {name: getattr(self, name).isoformat() for name in ("taken", "renewed", "expires")}
        return json.dumps({"host": self.holder.host, "folder": self.holder.folder, **times})

    @classmethod
    def parsed(cls, text: str) -> Self:
        """From JSON.

        Raises:
            ValueError: When it is no lease.
        """
        try:
            told = json.loads(text)
            times = [datetime.fromisoformat(told[n]) for n in ("taken", "renewed", "expires")]
            return cls(Holder(told["host"], told["folder"]), *times)
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None


def _now() -> datetime:
    return datetime.now(UTC)


class Lease:
    """One holder's side of the lease.

    Args:
        lake: The lake's root, for messages.
        store: Where it is kept.
        holder: Who asks.
        clock: The time, UTC.
    """

    def __init__(self, lake: str, store: LeaseStore, holder: Holder, clock: Clock = _now) -> None:
        self._lake = lake
        self._store = store
        self._holder = holder
        self._clock = clock

    def take(self) -> None:
        """Take the lease, or renew it where this holder has it.

        Raises:
            LeaseError: When another holder has it.
            LakeAwayError: When the lake cannot be read or written.
        """
        try:
            self._take()
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
            is_mine = held is not None and held.holder == self._holder
            if held is not None and not is_mine and held.expires > now:
                raise LeaseError(
                    f"the lake {self._lake} is written to by {held.holder}, which has it until "
                    f"{held.expires:%Y-%m-%d %H:%M:%S}Z and renews that while it runs: stop the "
                    "platform there (after a crash, wait until then), or choose another USAGE_LAKE"
                )
            taken = held.taken if held is not None and is_mine else now
            expires = now + timedelta(seconds=LEASE_SECONDS)
            if self._store.replace(text, Held(self._holder, taken, now, expires).text()):
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
        self._store.replace(text, Held(self._holder, held.taken, now, now).text())

    def _parsed(self, text: str) -> Held:
        try:
            return Held.parsed(text)
        except ValueError:
            raise LeaseError(
                f"the lake {self._lake}: leases/{WRITER}.json is no lease: make sure that no "
                "platform writes there, and delete the file"
            ) from None


class KeptLease:
    """A lease that a thread in the background renews; a context manager.

    Args:
        lease: The lease.
        on_lost: Called in that thread when another holder has it, each second until the block ends;
            raises nothing.
        every: Seconds between renewals.
    """

    def __init__(
        self, lease: Lease, on_lost: Callable[[], None], every: float = RENEW_SECONDS
    ) -> None:
        self._lease = lease
        self._on_lost = on_lost
        self._every = every
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


def holder_of(data_dir: Path) -> Holder:
    """This machine with a data folder: what runs on the folder is one holder."""
    return Holder(socket.gethostname(), str(data_dir.resolve()))


def writer_lease(lake: Lake, holder: Holder) -> Lease:
    """The lease that allows to write to a lake."""
    root = f"{lake.root}/leases"
    store = PlainStore(root, WRITER) if "://" in root else FolderStore(root, WRITER)
    return Lease(lake.root, store, holder)


@contextmanager
def only_while_held(kept: KeptLease) -> Iterator[None]:
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
