"""The help of `usage-platform`: complete summaries and a text for every option, in 80 columns."""

import click
import pytest
from click.testing import CliRunner

from usage_platform.console.cli import main

COLUMNS = 80


def help_of(command: click.Command, *args: str) -> str:
    done = CliRunner().invoke(command, (*args, "--help"), terminal_width=COLUMNS)
    assert done.exit_code == 0, done.output
    return done.output


def cut_off(command: click.Command) -> list[str]:
    """The lines of a group's help whose summary does not fit."""
    _, _, commands = help_of(command).partition("\nCommands:\n")
    return [line for line in commands.splitlines() if line.endswith("...")]


def test_every_summary_fits_its_line():
    assert cut_off(main) == []
    assert set(main.commands) <= set(help_of(main).split())


def test_a_summary_that_does_not_fit_is_noticed():
    @click.group()
    def group() -> None: ...

    group.add_command(click.Command("long", help="Word " * 20))
    group.add_command(click.Command("short", help="Word."))
    (line,) = cut_off(group)
    assert line.split()[0] == "long"


@pytest.mark.parametrize("name", main.commands)
def test_every_option_has_a_help_text_and_no_line_is_too_wide(name):
    options = [one for one in main.commands[name].params if isinstance(one, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert max(map(len, help_of(main, name).splitlines())) <= COLUMNS
