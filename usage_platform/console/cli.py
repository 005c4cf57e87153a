"""The console command `usage-platform`: its command line, not what the commands do (`console`)."""

import signal
import sys
import threading
from pathlib import Path

import click

from usage_platform.console.accept_loss import accept_loss
from usage_platform.console.alerts_command import alerts
from usage_platform.console.collect_command import collect
from usage_platform.console.findings_command import findings
from usage_platform.console.given_options import Given, Value, given
from usage_platform.console.groups_command import groups
from usage_platform.console.inspect_command import inspect
from usage_platform.console.label_command import label
from usage_platform.console.meters_command import meters
from usage_platform.console.one_line_errors import OneLineErrors
from usage_platform.console.signals import stop_on_signals
from usage_platform.console.source_options import source_options
from usage_platform.console.tariff_commands import bill, tariffs
from usage_platform.core.detector.options import Method
from usage_platform.settings.settings import Settings

_DEMO_TIMEOUT_SECONDS = 1800.0
_FORMATS = click.Choice(["table", "csv", "json"])
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data folder (USAGE_DATA)."
)
@click.version_option(
    package_name="usage-platform", prog_name="usage-platform", message="%(prog)s %(version)s"
)
@click.pass_context
def main(ctx: click.Context, data: Path | None) -> None:
    """Micro-batch platform for meter readings: Kafka, Spark, Delta Lake, Dagster."""
    ctx.obj = {} if data is None else {"data": data}


for _command in (
    *(inspect, accept_loss, collect, label, groups, alerts),
    *(meters, bill, tariffs, findings),
):
    main.add_command(_command)


@main.command()
@click.pass_obj
def setup(overrides: Given) -> None:
    """Download the jars, the page's scripts and, if needed, Java."""
    from usage_platform.console.setup import fetch_all

    fetch_all(Settings.from_env(**overrides))


@main.command()
@source_options
@click.option("--keep", is_flag=True, help="Keep the data of other sources.")
@click.option("--timeout", default=_DEMO_TIMEOUT_SECONDS, help="Maximum wait in seconds.")
@click.pass_obj
def demo(overrides: Given, keep: bool, timeout: float, **options: Value) -> None:
    """Run the whole pipeline on a source, then print a summary.

    Exits with 1 if the wait times out or a check of the summary fails.
    """
    from usage_platform.console.command_settings import demo_settings
    from usage_platform.console.demo import run_demo
    from usage_platform.console.demo_folder import ready_folder
    from usage_platform.console.screen import Screen
    from usage_platform.local.other_users import check_user
    from usage_platform.local.stack import Stack

    chosen = Settings.from_env(**overrides, **given(options))
    settings = demo_settings(chosen)
    screen = Screen()
    others = check_user(settings)
    stop_on_signals()
    ready_folder(settings, keep or "data" in chosen.model_fields_set, screen.say)
    with Stack(settings, screen.say, screen.progress) as stack:
        screen.say(others)
        finished = run_demo(stack, screen, timeout)
    screen.quiet()
    if not finished:
        sys.exit(1)


@main.command()
@source_options
@click.option("--spark-workers", type=int, help="Spark workers; 0: none (USAGE_SPARK_WORKERS).")
@click.pass_obj
def up(overrides: Given, **options: Value) -> None:
    """Run broker, Spark, Dagster and the page until Ctrl-C."""
    from usage_platform.console.command_settings import up_settings
    from usage_platform.console.screen import Screen
    from usage_platform.local.other_users import check_user
    from usage_platform.local.stack import Stack

    chosen = Settings.from_env(**overrides, **given(options))
    settings = up_settings(chosen)
    screen = Screen()
    others = check_user(settings)
    stop_on_signals()
    with Stack(settings, screen.say, screen.progress, has_page=True) as stack:
        # A signal interrupts the start; once all services run, it ends the loop below instead.
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        screen.quiet()
        screen.say(others)
        places = f"the page at {stack.page_url}, Dagster at {stack.ui_url}, Kafka at {stack.kafka}"
        screen.say(f"up: {places}")
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

    settings = Settings.from_env(**overrides, **given({"page_port": page_port}))
    serve_page(Platform(settings), click.echo)


@main.command()
@click.option("--workspace", required=True, type=_FILE, help="Dagster's workspace.yaml.")
@click.option("--port", "ui_port", type=int, help="Port (USAGE_UI_PORT).")
@click.option("--read-only/--no-read-only", "ui_read_only", default=None, help="Refuse mutations.")
@click.pass_obj
def ui(overrides: Given, workspace: Path, **options: int | None) -> None:
    """Serve Dagster's pages until Ctrl-C.

    The instance is that of DAGSTER_HOME.
    """
    from usage_platform.console.dagster_ui import serve_ui

    serve_ui(Settings.from_env(**overrides, **given(options)), workspace, click.echo)


@main.command()
@click.option(
    "--meter", "meters", multiple=True, metavar="NAME", help="Only this meter; repeatable."
)
@click.option(
    "--min-severity",
    type=click.Choice(["low", "medium", "high"]),
    default="low",
    help="Lowest severity to show.",
)
@click.option("--since", metavar="WHEN", help="2024-03-10, '2024-03-10 14:00', 36h or 7d.")
@click.option("--from-beginning", is_flag=True, help="Start at the topic's first message.")
@click.option("--no-follow", is_flag=True, help="Stop at the end of the topic.")
@click.option("--episodes", is_flag=True, help="Show episodes, not single anomalies.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
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
    """Follow anomalies or episodes as they are published.

    Prints a live table on a terminal and one line per message into a pipe. --since filters by the
    event time of the readings; a time without an offset is the building's local time.
    """
    import pandas as pd

    from usage_platform.console.watch import Chosen, wanted_of
    from usage_platform.console.watch import watch as show
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides))
    meter = deployment.default_meter()
    wanted = wanted_of(meters, min_severity, since, pd.Timestamp.now(tz="UTC"), meter)
    stop_on_signals()
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
    """Show services, lag and table sizes."""
    import pandas as pd

    from usage_platform.console.screen import Screen
    from usage_platform.console.status import status as tables
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides))
    Screen().console.print(tables(deployment, pd.Timestamp.now(tz="UTC")))


@main.command()
@click.argument("sql")
@click.option("--format", "form", type=_FORMATS, default="table", help="Output format.")
@click.pass_obj
def query(overrides: Given, sql: str, form: str) -> None:
    """Run a read-only SQL query over the lake's tables."""
    from usage_platform.console.plain_text import plain
    from usage_platform.console.query import bounded_memory, printed
    from usage_platform.wiring.platform import Platform

    deployment = Platform(Settings.from_env(**overrides))
    # Without this, Athena would keep running a query whose client is gone.
    stop_on_signals()
    with bounded_memory():
        text = printed(deployment.sql.query(sql), form)
    click.echo(plain(text) if sys.stdout.isatty() else text)


@main.command()
@source_options
@click.option("--holidays", help="Public holidays, such as US-MA; - for none.")
@click.option("--method", type=click.Choice([method.value for method in Method]), help="Detector.")
@click.option("--false-alarms", "false_alarms_per_week", type=float, help="Alarm days per week.")
@click.option("--out", required=True, type=_FILE, help="A .csv, .csv.gz or .parquet file.")
@click.pass_obj
def replay(overrides: Given, out: Path, **options: Value) -> None:
    """Backtest the detector on a source; write each score to a file.

    Each week is scored by a model trained only on readings before it, as the platform would have
    trained it; labels of the meter in the lake are left out of training.
    """
    from usage_platform.console.replay import replay_source
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    deployment, screen = Platform(Settings.from_env(**overrides, **given(options))), Screen()
    if notice := deployment.meters_notice():
        screen.say(notice)
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
@click.option("--back", is_flag=True, help="Roll back to the previous model.")
@click.option("--promote", metavar="VERSION", help="Promote a model.")
@click.option("--sizes", is_flag=True, help="Print memory and disk by number of meters.")
@click.pass_obj
def models(overrides: Given, back: bool, promote: str | None, sizes: bool) -> None:
    """List models, promote one, roll back, or print their sizes."""
    from usage_platform.console.models import change, listed
    from usage_platform.console.models import sizes as sized
    from usage_platform.console.screen import Screen
    from usage_platform.wiring.platform import Platform

    if sum((back, promote is not None, sizes)) > 1:
        raise click.UsageError("expected one of --back, --promote and --sizes")
    store = Platform(Settings.from_env(**overrides)).models
    if back or promote is not None:
        Screen().say(change(store, promote))
    else:
        Screen().console.print(sized(store) if sizes else listed(store))


@main.command("alert-test")
@click.argument("sink", required=False)
@click.pass_obj
def alert_test(overrides: Given, sink: str | None) -> None:
    """Send a test alert to every sink and target, or to one."""
    from datetime import UTC, datetime

    from usage_platform.console.alert_test import send_tests
    from usage_platform.core.alerts.routes import Routes
    from usage_platform.wiring.platform import Platform
    from usage_platform.wiring.targets import chosen_targets

    deployment = Platform(Settings.from_env(**overrides))
    targets = chosen_targets(deployment.settings, deployment.routes.read() or Routes())
    if not send_tests(targets, sink, deployment.settings.default_meter, datetime.now(UTC)):
        sys.exit(1)
