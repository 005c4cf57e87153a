"""The command line of `usage-platform inspect`.

Belongs here: its options. Not here: what it prints (`inspect`), and other commands (`cli`).
"""

import sys

import click

from usage_platform.console.given_options import Given, Value, given
from usage_platform.console.source_options import reading_options
from usage_platform.settings.settings import Settings


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def inspect(overrides: Given, as_json: bool, **options: Value) -> None:
    """Show how files of readings are understood.

    Exits with 1 if something is uncertain that would change the readings.
    """
    from usage_platform.console.inspect import inspect_files
    from usage_platform.console.plain_text import plain
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform
    from usage_platform.wiring.sources import file_source

    settings = Settings.from_env(**overrides, **given(options))
    platform = Platform(settings)
    # A setting that contradicts a description is refused before anything is read.
    platform.default_meter()
    applied = platform.meters.applied()
    if applied.notice:
        click.echo(plain(applied.notice), err=True)
    source, files = file_source(settings, applied.descriptions), settings.source.split("\n")
    limits, data = settings.event_limits, overrides.get("data")
    if not inspect_files(source, files, limits, data, as_json, Screen()):
        sys.exit(1)
