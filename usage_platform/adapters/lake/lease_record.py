"""The content of a lease: its holder and its expiry.

Belongs here: the record and its JSON. Not here: how it changes hands (`lease`), how it is stored
(`lease_store`).
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self


@dataclass(frozen=True)
class Holder:
    """A holder of a lease: a data folder on a host.

    Attributes:
        host: Name of the machine.
        folder: The absolute data folder.
        id: Identifies the data folder whatever the machine is called; empty in a lease of a former
            version, and for a job on a cluster.
    """

    host: str
    folder: str
    id: str = ""

    def is_same(self, other: "Holder") -> bool:
        """Whether both are one holder: by their ids, or by host and folder where one has none."""
        if self.id and other.id:
            return self.id == other.id
        return (self.host, self.folder) == (other.host, other.folder)

    def __str__(self) -> str:
        return f"{self.host}:{self.folder}"


@dataclass(frozen=True)
class Held:
    """The stored state of a lease; all times are UTC.

    Attributes:
        holder: Its holder.
        taken: When the holder took it.
        renewed: When it was last renewed.
        expires: From when on another holder may take it.
        lender: Whom the holder returns it to; None where it was not lent.
        turn: How often writers have begun to write; each turn has a number of its own, whoever
            has it.
    """

    holder: Holder
    taken: datetime
    renewed: datetime
    expires: datetime
    lender: Holder | None = None
    turn: int = 0

    def text(self) -> str:
        """As JSON."""
        times = {name: getattr(self, name).isoformat() for name in ("taken", "renewed", "expires")}
        lent = {} if self.lender is None else {"lender": asdict(self.lender)}
        return json.dumps({**asdict(self.holder), **times, **lent, "turn": self.turn})

    @classmethod
    def parsed(cls, text: str) -> Self:
        """From JSON.

        Raises:
            ValueError: When it is not a lease.
        """
        try:
            stored = json.loads(text)
            names = ("taken", "renewed", "expires")
            taken, renewed, expires = (datetime.fromisoformat(stored[name]) for name in names)
            lender = Holder(**stored["lender"]) if "lender" in stored else None
            holder = Holder(stored["host"], stored["folder"], stored.get("id", ""))
            # Leases of former versions have no number.
            return cls(holder, taken, renewed, expires, lender, int(stored.get("turn", 0)))
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None
