"""The command line of `usage-platform groups`.

Belongs here: its subcommands. Not here: what they print (`groups`), and other commands (`cli`).
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from usage_platform.console.given_options import Given
from usage_platform.settings.settings import Settings, SettingsError

if TYPE_CHECKING:
    from usage_platform.core.fleet.groups import Groups


@click.group()
def groups() -> None:
    """Check or show the sites, buildings and virtual meters.

    They are described in assets/groups.yaml of the lake.
    """


@groups.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.pass_obj
def check(overrides: Given, file: Path | None) -> None:
    """Check the lake's file, or FILE before it is copied there.

    Exits with 1 if something in it is wrong.
    """
    from usage_platform.console.groups import counted
    from usage_platform.console.screen import Screen

    Screen().say(counted(_read(overrides, file)))


@groups.command()
@click.pass_obj
def show(overrides: Given) -> None:
    """Show each group with its area and the meters of its sum."""
    from usage_platform.console.groups import listed
    from usage_platform.console.screen import Screen

    Screen().console.print(listed(_read(overrides, None)))


def _read(overrides: Given, file: Path | None) -> "Groups":
    from usage_platform.services.known_groups import known_groups
    from usage_platform.wiring.platform import Platform

    platform = Platform(Settings.from_env(**overrides))
    store = platform.groups
    try:
        text = store.text() if file is None else file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: expected UTF-8 ({error.reason})") from None
    place = store.place if file is None else str(file)
    return known_groups(text, place, platform.reader, platform.registry())
