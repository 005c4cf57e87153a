"""How commands speak to people: lines that stay and one line that changes.

Without a terminal there is no changing line; what it says is printed now and then instead.
"""

import time

from rich.console import Console

_PLAIN_EVERY_SECONDS = 15.0


class Screen:
    """The console of one command."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._status = self.console.status("") if self.console.is_terminal else None
        self._said_plain = time.monotonic()

    def say(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line, markup=False)

    def progress(self, line: str) -> None:
        """What is going on now."""
        if self._status is not None:
            self._status.update(line)
            self._status.start()
        elif time.monotonic() - self._said_plain >= _PLAIN_EVERY_SECONDS:
            self._said_plain = time.monotonic()
            self.console.print(f"  {line}", markup=False)

    def quiet(self) -> None:
        """Take the changing line away."""
        if self._status is not None:
            self._status.stop()
