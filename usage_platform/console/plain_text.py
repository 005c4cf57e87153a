"""Text that a terminal shows and does not obey.

Belongs here: which characters reach a terminal. Not here: what is printed.

Names of meters, rejects and files come from outside. Escape sequences in them could move the
cursor, rename the window or forge lines; direction marks could show a name in another order.
"""

import unicodedata
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_SHOWN_AS = "\N{REPLACEMENT CHARACTER}"
_LAYOUT = "\n\t"
# Control, format, surrogate, private and unassigned characters; separators of lines, paragraphs.
_NOT_SHOWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def plain(text: str) -> str:
    """Text in which each character that a terminal could obey is a replacement character."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one if one in _LAYOUT or unicodedata.category(one) not in _NOT_SHOWN else _SHOWN_AS
        for one in text
    )


class PlainConsole(Console):
    """A console whose only escape sequences are its own."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render with `plain` text."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(plain(segment.text), segment.style)
