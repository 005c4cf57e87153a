"""Whatever a name contains, a terminal gets no escape sequence but the console's own."""

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from usage_platform.console.plain_text import PlainConsole, plain
from usage_platform.console.screen import Screen, table

HOSTILE = [
    "\x1b]0;renamed\x07",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "a\rb",
    "\x08\x08\x08",
    "\u202egnp.exe",
    "\u2028",
    "\x1bP+q\x1b\\",
]


def _is_shown(text: str) -> bool:
    return all(
        one in "\n\t" or unicodedata.category(one)[0] not in "C" for one in text
    ) and not set(text) & {"\u2028", "\u2029"}


@given(st.text())
def test_no_character_that_a_terminal_obeys_is_left_and_each_keeps_its_place(text):
    assert _is_shown(plain(text))
    assert len(plain(text)) == len(text)


@pytest.mark.parametrize("text", ["Zürich, Nord", "東京", "été", "a\tb\nc", "½ kWh"])
def test_text_of_any_language_stays(text):
    assert plain(text) == text


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("markup", [True, False])
def test_lines_and_tables_of_a_terminal_show_it_as_text(hostile, markup):
    out = io.StringIO()
    console = PlainConsole(
        file=out, width=100, markup=markup, force_terminal=True, color_system=None
    )
    rows = table(hostile, "name", hostile)
    rows.add_row(hostile, Text(hostile))
    console.print(rows)
    console.print(hostile, soft_wrap=True)
    assert _is_shown(out.getvalue()), ascii(out.getvalue())


def test_its_own_colours_remain():
    out = io.StringIO()
    PlainConsole(file=out, force_terminal=True, color_system="standard").print("[red]x[/] \x1b[2J")
    assert re.sub(r"\x1b\[[\d;]*m", "", out.getvalue()) == "x \ufffd[2J\n"


def test_the_screen_of_every_command_is_such_a_console():
    assert isinstance(Screen().console, PlainConsole)
    assert issubclass(PlainConsole, Console)
