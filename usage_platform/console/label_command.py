"""The command line of `usage-platform label`.

Belongs here: its options. Not here: what it does (`labels`), and other commands (`cli`).
"""

import click

from usage_platform.console.given_options import Given, given
from usage_platform.settings.settings import Settings


@click.command()
@click.argument("start")
@click.argument("end")
@click.argument("says", type=click.Choice(["true", "false", "planned"]))
@click.option("--meter", help="Name of the meter.")
@click.option("--note", default="", help="Free text.")
@click.pass_obj
def label(overrides: Given, start: str, end: str, says: str, note: str, meter: str | None) -> None:
    """Label a time span as true anomaly, false alarm or planned.

    START and END are local times such as 2024-03-05T13:00. Spans labelled true or planned are
    excluded from training; anomalies in planned spans are not published.
    """
    from usage_platform.console.labels import add_label
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    platform = Platform(Settings.from_env(**overrides, **given({"meter": meter})))
    known = platform.default_meter()
    Screen().say(add_label(platform.labels, known, start, end, says, note))
