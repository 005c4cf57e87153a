"""The command line of `usage-platform collect`.

Belongs here: its options, and how it ends. Not here: collecting (`services.collect_samples`), and
other commands (`cli`).
"""

import threading

import click

from usage_platform.console.given_options import Given, given
from usage_platform.settings.settings import Settings


@click.command()
@click.option("--mqtt", "collect_mqtt_url", metavar="URL", help="Broker (USAGE_COLLECT_MQTT_URL).")
@click.option(
    "--topic",
    "collect_mqtt_topic",
    metavar="FILTER",
    help="tele/+/SENSOR: + names the meter (USAGE_COLLECT_MQTT_TOPIC).",
)
@click.pass_obj
def collect(overrides: Given, **options: str | None) -> None:
    """Collect samples of live meters from an MQTT broker.

    Runs until Ctrl-C. assets/meters.yaml in the lake describes how the samples of a meter are read.
    Give a password by USAGE_COLLECT_MQTT_URL: other users of this machine see command lines.
    """
    import signal

    from usage_platform.adapters.mqtt.subscription import SubscriptionError
    from usage_platform.adapters.mqtt.tls import CertificateError
    from usage_platform.services.collect_samples import Collected, CollectError
    from usage_platform.wiring.platform import Platform
    from usage_platform.wiring.samples import collector

    deployment = Platform(Settings.from_env(**overrides, **given(options)))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    def state(text: str) -> None:
        click.echo(text or "collecting", err=True)

    def report(found: Collected) -> None:
        unnamed = f", {found.unnamed:,} of no meter" if found.unnamed else ""
        click.echo(f"{found.samples:,} samples of {len(found.meters):,} meters{unnamed}", err=True)

    try:
        collector(deployment, state).run(stop.is_set, report)
    except (SubscriptionError, CertificateError, CollectError) as error:
        raise click.ClickException(str(error)) from None
