"""What a lease says: who holds it, and until when.

Belongs here: the record and its JSON. Not here: how it changes hands (`lease`), where it is kept
(`lease_store`).
"""

import json
import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self


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
        lender: Who gets it back from the holder; None where it was not lent.
    """

    holder: Holder
    taken: datetime
    renewed: datetime
    expires: datetime
    lender: Holder | None = None

    def text(self) -> str:
        """As JSON."""
        times = {name: getattr(self, name).isoformat() for name in ("taken", "renewed", "expires")}
        lent = {} if self.lender is None else {"lender": asdict(self.lender)}
        return json.dumps({**asdict(self.holder), **times, **lent})

    @classmethod
    def parsed(cls, text: str) -> Self:
        """From JSON.

        Raises:
            ValueError: When it is no lease.
        """
        try:
            told = json.loads(text)
            names = ("taken", "renewed", "expires")
            taken, renewed, expires = (datetime.fromisoformat(told[name]) for name in names)
            lender = Holder(**told["lender"]) if "lender" in told else None
            holder = Holder(told["host"], told["folder"])
            return cls(holder, taken, renewed, expires, lender)
        except (KeyError, TypeError) as error:
            raise ValueError(str(error)) from None


def holder_of(data_dir: Path) -> Holder:
    """This machine with a data folder: what runs on the folder is one holder."""
    return Holder(socket.gethostname(), str(data_dir.resolve()))
