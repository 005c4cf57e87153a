"""The command line of `usage-platform alerts`.

Belongs here: its subcommands. Not here: what they print (`alerts`), sending a test (`alert_test`).
"""

import sys
from pathlib import Path

import click

from usage_platform.console.given_options import Given
from usage_platform.settings.settings import Settings


@click.group()
def alerts() -> None:
    """Check the routes of alerts, ask who gets one, acknowledge.

    They are described in assets/alerts.yaml of the lake.
    """


@alerts.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.pass_obj
def check(overrides: Given, file: Path | None) -> None:
    """Check the lake's file, or FILE before it is copied there; list what each target gets.

    Exits with 1 if something in it is wrong or a target lacks a setting. Without a file in the lake
    every alert goes to all configured sinks.
    """
    from usage_platform.console.alerts import described, problems, read_routes, verdict
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    platform, screen = Platform(Settings.from_env(**overrides)), Screen()
    routes = read_routes(platform, file)
    screen.console.print(described(platform, routes))
    found = problems(platform, routes)
    for line in found:
        screen.say(line)
    if found:
        sys.exit(1)
    screen.say(verdict(platform, file, routes))


@alerts.command()
@click.option("--meter", required=True, help="Name of the meter.")
@click.option("--kind", required=True, help="Kind of the episode, such as night_load.")
@click.option(
    "--severity",
    type=click.Choice(["low", "medium", "high"]),
    default="high",
    show_default=True,
    help="Severity of the episode.",
)
@click.option("--cost", metavar="NUMBER", help="Cost of the episode; default: unknown.")
@click.option("--at", metavar="WHEN", help="Such as 2024-03-10T14:00, local; default: now.")
@click.pass_obj
def route(
    overrides: Given, meter: str, kind: str, severity: str, cost: str | None, at: str | None
) -> None:
    """Print which route takes an episode, why the ones before do not, and who gets the alert."""
    import pandas as pd

    from usage_platform.console.alerts import Question, explained, read_routes
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    platform, screen = Platform(Settings.from_env(**overrides)), Screen()
    question = Question.parsed(platform, (meter, kind, severity, cost, at), pd.Timestamp.now("UTC"))
    for line in explained(platform, read_routes(platform, None), question):
        screen.say(line)


@alerts.command()
@click.argument("episode")
@click.option("--note", default="", help="Free text.")
@click.pass_obj
def acknowledge(overrides: Given, episode: str, note: str) -> None:
    """Acknowledge an episode, so that no further target gets it.

    EPISODE is METER/TIME, the first part of the alert's id, such as
    central-library/2024-03-05T18:05Z.
    """
    import pandas as pd

    from usage_platform.console.acknowledge import add_acknowledgement
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    platform = Platform(Settings.from_env(**overrides))
    Screen().say(add_acknowledgement(platform.reviews, episode, note, pd.Timestamp.now("UTC")))
