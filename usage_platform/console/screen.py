"""Console output of commands: permanent lines and one progress line.

Without a terminal, the progress line is printed every few seconds instead of updated in place.
"""

import time
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from usage_platform.console.plain_text import PlainConsole

_PLAIN_EVERY_SECONDS = 15.0


class Screen:
    """The console of one command.

    Args:
        width: Width in columns; that of the terminal by default.
    """

    def __init__(self, width: int | None = None) -> None:
        self.console = PlainConsole(highlight=False, emoji=False, width=width)
        self._status = self.console.status("") if self.console.is_terminal else None
        self._said_plain = time.monotonic()

    def say(self, line: str) -> None:
        """Print a permanent line; only a terminal wraps it, so that logs keep paths whole."""
        self.console.print(line, markup=False, soft_wrap=True)

    def progress(self, line: str) -> None:
        """Update the progress line."""
        if self._status is not None:
            self._status.update(Text(line, no_wrap=True, overflow="ellipsis"))
            self._status.start()
        elif time.monotonic() - self._said_plain >= _PLAIN_EVERY_SECONDS:
            self._said_plain = time.monotonic()
            self.say(f"  {line}")

    def quiet(self) -> None:
        """Remove the progress line."""
        if self._status is not None:
            self._status.stop()


def table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table for at least 80 columns.

    Args:
        title: The title above it.
        columns: Column names.
        numbers: Names of the columns with numbers, aligned right.
    """
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        flush = "right" if column in numbers else "left"
        if column == columns[0]:
            made.add_column(column, justify=flush, no_wrap=True)
        else:
            # Where the width is too small, a text goes on in the next line: none is cut off.
            made.add_column(column, justify=flush, overflow="fold")
    return made


def shown_path(path: Path) -> str:
    """A path relative to the current folder if it is inside it, else absolute."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
