"""How commands speak to people: lines that stay and one line that changes.

Without a terminal there is no changing line; what it says is printed now and then instead.
"""

import time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PLAIN_EVERY_SECONDS = 15.0


class Screen:
    """The console of one command.

    Args:
        width: Columns to print in; those of the terminal by default.
    """

    def __init__(self, width: int | None = None) -> None:
        self.console = Console(highlight=False, emoji=False, width=width)
        self._status = self.console.status("") if self.console.is_terminal else None
        self._said_plain = time.monotonic()

    def say(self, line: str) -> None:
        """A line that stays; only a terminal breaks it, so that a path in a log stays whole."""
        self.console.print(line, markup=False, soft_wrap=True)

    def progress(self, line: str) -> None:
        """What is going on now."""
        if self._status is not None:
            self._status.update(Text(line, no_wrap=True, overflow="ellipsis"))
            self._status.start()
        elif time.monotonic() - self._said_plain >= _PLAIN_EVERY_SECONDS:
            self._said_plain = time.monotonic()
            self.say(f"  {line}")

    def quiet(self) -> None:
        """Take the changing line away."""
        if self._status is not None:
            self._status.stop()


def table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table that reads well from 80 columns on.

    Args:
        title: What stands above it.
        columns: The names of its columns.
        numbers: Which of them hold numbers, set flush right.
    """
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        flush = "right" if column in numbers else "left"
        made.add_column(column, justify=flush, no_wrap=column == columns[0])
    return made


def shown_path(path: Path) -> str:
    """A path as people would type it: from the current folder where it lies in there."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
