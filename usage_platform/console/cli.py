"""The console command `usage-platform`.

Belongs here: the command line. Not here: what the commands do (`console`).
"""

import math
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from usage_platform.console.one_line_errors import OneLineErrors
from usage_platform.console.source_options import source_options
from usage_platform.settings.settings import Settings

_DEMO_DATA = Path(".usage/demo")
_DEMO_TIMEOUT_SECONDS = 1800.0
_LIVE_ACCELERATOR = 300.0

Given = Mapping[str, Any]
"""What options on the command line say, by the setting's name."""


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data folder (USAGE_DATA)."
)
@click.version_option(
    package_name="usage-platform", prog_name="usage-platform", message="%(prog)s %(version)s"
)
@click.pass_context
def main(ctx: click.Context, data: Path | None) -> None:
    """Meter readings through Kafka, Spark, Delta Lake and Isolation Forests, run by Dagster."""
    ctx.obj = {} if data is None else {"data": data}


@main.command()
@click.pass_obj
def setup(overrides: Given) -> None:
    """Fetch what is needed once: the jars, the page's scripts, and a Java where there is none."""
    from usage_platform.console.setup import fetch_all

    fetch_all(Settings.from_env(**overrides))


@main.command()
@source_options
@click.option("--keep", is_flag=True, help="Keep what demos of other sources left there.")
@click.option("--timeout", default=_DEMO_TIMEOUT_SECONDS, help="Seconds to wait at most.")
@click.pass_obj
def demo(overrides: Given, keep: bool, timeout: float, **options: str | int | None) -> None:
    """Play a source through everything, wait until all has flowed, and say what came of it."""
    from usage_platform.console.demo import run_demo
    from usage_platform.console.demo_folder import ready_folder, without_alerts
    from usage_platform.console.screen import Screen
    from usage_platform.local.stack import Stack

    given = Settings.from_env(**overrides, **_given(options))
    settings = _unless_given(without_alerts(given), data=_DEMO_DATA, accelerator=math.inf)
    screen = Screen()
    _stop_on_signals()
    ready_folder(settings, keep or "data" in given.model_fields_set, screen.say)
    with Stack(settings, screen.say, screen.progress) as stack:
        finished = run_demo(stack, screen, timeout)
    screen.quiet()
    if not finished:
        sys.exit(1)


@main.command()
@source_options
@click.pass_obj
def up(overrides: Given, **options: str | int | None) -> None:
    """Run the platform until Ctrl-C: broker, Spark, Dagster, the page."""
    from usage_platform.console.screen import Screen
    from usage_platform.local.stack import Stack

    given = Settings.from_env(**overrides, **_given(options))
    settings = _unless_given(given, accelerator=_LIVE_ACCELERATOR)
    screen = Screen()
    _stop_on_signals()
    with Stack(settings, screen.say, screen.progress, has_page=True) as stack:
        # What is starting is broken off; what runs is told to stop once it has been looked after.
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        screen.quiet()
        kafka = stack.settings.kafka_bootstrap
        screen.say(f"up: the page at {stack.page_url}, Dagster at {stack.ui_url}, Kafka at {kafka}")
        screen.say("watch anomalies with 'usage-platform watch'; Ctrl-C stops everything")
        while not stop.wait(0.5):
            stack.look()
        screen.say("stopping")
    screen.quiet()


@main.command()
@click.option("--port", "page_port", type=int, help="Port (USAGE_PAGE_PORT).")
@click.pass_obj
def page(overrides: Given, page_port: int | None) -> None:
    """Serve the analyst's page until Ctrl-C."""
    from usage_platform.console.page import serve_page
    from usage_platform.wiring.platform import Platform

    settings = Settings.from_env(**overrides, **_given({"page_port": page_port}))
    serve_page(Platform(settings), click.echo)


@main.command()
@click.option(
    "--meter", "meters", multiple=True, metavar="NAME", help="Only this meter; repeatable."
)
@click.option(
    "--min-severity",
    type=click.Choice(["low", "medium", "high"]),
    default="low",
    help="Leave lesser ones out.",
)
@click.option("--since", metavar="WHEN", help="2024-03-10, '2024-03-10 14:00'; 36h or 7d ago.")
@click.option("--from-beginning", is_flag=True, help="All that the topic holds, then new ones.")
@click.option("--no-follow", is_flag=True, help="End at the end of the topic.")
@click.option("--episodes", is_flag=True, help="Episodes that open and close, not single readings.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a message.")
@click.pass_obj
def watch(
    overrides: Given,
    meters: tuple[str, ...],
    min_severity: str,
    since: str | None,
    from_beginning: bool,
    no_follow: bool,
    episodes: bool,
    as_json: bool,
) -> None:
    """Show anomalies as they come: on a terminal as a table, into a pipe as lines.

    --since goes by the time of the readings, and reads what the topic holds of it; without an
    offset it is the building's local time.
    """
    import pandas as pd

    from usage_platform.console.watch import Chosen, wanted_of
    from usage_platform.console.watch import watch as show
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides))
    meter = deployment.settings.default_meter
    wanted = wanted_of(meters, min_severity, since, pd.Timestamp.now(tz="UTC"), meter)
    _stop_on_signals()
    try:
        show(
            deployment.kafka,
            Chosen(wanted, episodes, from_beginning, not no_follow, as_json),
            meter,
        )
    except KeyboardInterrupt:
        sys.exit(0)


@main.command()
@click.pass_obj
def status(overrides: Given) -> None:
    """Say what runs, how far behind it is, and what the tables hold."""
    import pandas as pd

    from usage_platform.console.screen import Screen
    from usage_platform.console.status import status as tables
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides))
    Screen().console.print(tables(deployment, pd.Timestamp.now(tz="UTC")))


@main.command()
@click.argument("sql")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@click.pass_obj
def query(overrides: Given, sql: str, form: str) -> None:
    """Run SQL over the lake's tables: readings, usage_hourly, rejects, anomalies."""
    from usage_platform.console.query import printed
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides))
    # Athena would go on with a query that nobody waits for.
    _stop_on_signals()
    click.echo(printed(deployment.sql.query(sql), form))


@main.command()
@source_options
@click.option("--holidays", help="Country of the public holidays, as US-MA; - for none.")
@click.option("--method", type=click.Choice(["forest", "robust_z", "blog"]))
@click.option("--false-alarms", "false_alarms_per_week", type=float, help="Alarm days a week.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def replay(overrides: Given, out: Path, **options: str | int | float | None) -> None:
    """Backtest the detector on one source's readings.

    Scores every reading by the model that the platform would have had for it: a new one each week,
    trained on earlier readings only. Labels of the meter in the lake count. The file's ending says
    how it is written: .csv, .csv.gz or .parquet.
    """
    from usage_platform.console.replay import replay_source
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides, **_given(options)))
    screen = Screen()
    replayed = replay_source(
        deployment.reading_source(),
        out,
        deployment.training_options(),
        deployment.labels.read(),
        screen.progress,
    )
    screen.quiet()
    screen.say(replayed.in_words())


@main.command()
@click.argument("start")
@click.argument("end")
@click.argument("says", type=click.Choice(["true", "false", "planned"]))
@click.option("--meter", help="Name of the meter.")
@click.option("--note", default="", help="A few words.")
@click.pass_obj
def label(overrides: Given, start: str, end: str, says: str, note: str, meter: str | None) -> None:
    """Say of a stretch of time whether it was odd: local times such as 2024-03-05T13:00.

    What was truly odd, or planned, is not learned from; a planned stretch is not told either.
    """
    from usage_platform.console.labels import add_label
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    platform = Platform(Settings.from_env(**overrides, **_given({"meter": meter})))
    known = platform.settings.default_meter
    Screen().say(add_label(platform.labels, known, start, end, says, note))


@main.command()
@click.option("--back", is_flag=True, help="Put the model that was promoted last out of force.")
@click.option("--promote", metavar="VERSION", help="Put a model in force.")
@click.pass_obj
def models(overrides: Given, back: bool, promote: str | None) -> None:
    """List the models; go back to the one before, or put another one in force."""
    from usage_platform.console.models import change, listed
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    store = Platform(Settings.from_env(**overrides)).models
    screen = Screen()
    if back or promote:
        screen.say(change(store, promote))
    else:
        screen.console.print(listed(store))


@main.command("alert-test")
@click.argument(
    "sink", required=False, type=click.Choice(["webhook", "slack", "email", "sns", "mqtt"])
)
@click.pass_obj
def alert_test(overrides: Given, sink: str | None) -> None:
    """Send a test alert to each sink that is set, or to one of them."""
    from datetime import UTC, datetime

    from usage_platform.console.alert_test import send_tests
    from usage_platform.wiring.platform import Platform

    platform = Platform(Settings.from_env(**overrides))
    meter = platform.settings.default_meter
    if not send_tests(platform.alert_sinks(), meter, sink, datetime.now(UTC)):
        sys.exit(1)


def _given(options: Mapping[str, str | int | float | None]) -> Given:
    return {name: value for name, value in options.items() if value is not None}


def _unless_given(settings: Settings, **defaults: object) -> Settings:
    """The settings with a command's own defaults where neither a variable nor an option says."""
    missing = {name: v for name, v in defaults.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=missing)


def _stop_on_signals() -> None:
    """SIGTERM ends a command as Ctrl-C does: everything that was started is stopped."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    # A script that starts this in the background has SIGINT ignored by it and by all it starts;
    # Dagster's processes then ignore SIGTERM, too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
