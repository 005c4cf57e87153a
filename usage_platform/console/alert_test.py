"""`usage-platform alert-test`: check that alerts are delivered.

Belongs here: sending a test alert to each sink and printing the result. Not here: the sinks
(`adapters.alert_sinks`).
"""

from datetime import datetime

import click

from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError
from usage_platform.core.alerts.alert_texts import trial_alert
from usage_platform.settings.settings import Settings
from usage_platform.wiring.sinks import HOW_TO_CONFIGURE, SINKS, chosen_sinks


def send_tests(settings: Settings, only: str | None, now: datetime) -> bool:
    """Send one test alert on the default meter to each sink and print the result per sink.

    Args:
        settings: They configure the sinks and the meter.
        only: The name of one sink; None for all.
        now: The current time, with a zone.

    Returns:
        Whether every sink accepted it.

    Raises:
        click.ClickException: When no such sink is known or configured.
    """
    if only not in (None, *SINKS):
        raise click.UsageError(f"no sink is called {only!r}: choose one of {', '.join(SINKS)}")
    chosen = [sink for sink in chosen_sinks(settings) if only in (None, sink.name)]
    if not chosen:
        what = f"sink {only} is not configured" if only else "no sink is configured"
        raise click.ClickException(f"{what}: {HOW_TO_CONFIGURE}")
    alert = trial_alert(settings.default_meter, now)
    taken = [_takes(sink, alert, now) for sink in chosen]
    return all(taken)


def _takes(sink: AlertSink, alert: Alert, now: datetime) -> bool:
    try:
        sink.deliver(alert, now)
    except DeliveryError as error:
        click.echo(f"{sink.name}: {error}")
        return False
    click.echo(f"{sink.name}: delivered")
    return True
