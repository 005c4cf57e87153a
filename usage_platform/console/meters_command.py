"""The command line of `usage-platform meters`.

Belongs here: its subcommands and options. Not here: what they print (`meters`), and other commands
(`cli`).
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from usage_platform.console.given_options import Given
from usage_platform.console.source_options import meter_options
from usage_platform.settings.settings import Settings, SettingsError

if TYPE_CHECKING:
    from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription


@click.group()
def meters() -> None:
    """Describe meters: quantity, unit, stamp, sign, zone, interval.

    The descriptions are in assets/meters.yaml of the lake.
    """


_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@meters.command("list")
@_JSON
@click.pass_obj
def list_meters(overrides: Given, as_json: bool) -> None:
    """List the meters that people or sources describe.

    If something in the file is wrong, lists what applies until it is corrected, and exits with 1.
    """
    from usage_platform.console.meters import print_all
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    print_all(Platform(Settings.from_env(**overrides)), as_json, Screen())


@meters.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.pass_obj
def check(overrides: Given, file: Path | None) -> None:
    """Check the lake's file, or FILE before it is copied there.

    Exits with 1 and one line if something in it is wrong.
    """
    from usage_platform.console.meters import checked
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    found = checked(Platform(Settings.from_env(**overrides)), file)
    Screen().say(f"meters: {len(found):,} described; nothing is wrong")


@meters.command()
@click.argument("name")
@_JSON
@click.pass_obj
def show(overrides: Given, name: str, as_json: bool) -> None:
    """Show one meter with its versions."""
    from usage_platform.console.meters import print_one
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    print_one(Platform(Settings.from_env(**overrides)), name, as_json, Screen())


@meters.command()
@click.argument("name")
@meter_options
@click.pass_obj
def add(overrides: Given, name: str, **fields: str | None) -> None:
    """Describe another meter."""
    from usage_platform.core.meter_descriptions.edits import added

    _change(overrides, lambda found: added(found, name, _said(fields)))


@meters.command("set")
@click.argument("name")
@meter_options
@click.option(
    "--valid-from",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First local day on which that is so.",
)
@click.pass_obj
def set_fields(
    overrides: Given, name: str, valid_from: datetime | None, **fields: str | None
) -> None:
    """Change a meter's description.

    Fields without an option stay. With --valid-from the others change from that day on, except the
    zone, which has one value for all times; --interval is then that of the source's rows, which are
    averaged to the meter's interval.
    """
    from usage_platform.core.meter_descriptions.edits import changed

    day = None if valid_from is None else valid_from.date()
    _change(overrides, lambda found: changed(found, name, _said(fields), day))


def _said(fields: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def _change(overrides: Given, changed: "Callable[[Descriptions], MeterDescription]") -> None:
    from usage_platform.console.meters import in_one_line
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    store = Platform(Settings.from_env(**overrides)).meters
    try:
        new = store.change(changed)
    except ValueError as error:
        raise SettingsError(f"{store.place}: {error}") from None
    Screen().say(f"{store.place}: {in_one_line(new)}")
