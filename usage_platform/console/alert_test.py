"""`usage-platform alert-test`: check that alerts are delivered.

Belongs here: sending a test alert to each sink and printing the result. Not here: the sinks
(`adapters.alert_sinks`).
"""

from collections.abc import Sequence
from datetime import datetime

import click

from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError, trial_alert
from usage_platform.core.meters import Meter


def send_tests(sinks: Sequence[AlertSink], meter: Meter, only: str | None, now: datetime) -> bool:
    """Send one test alert to each sink and print the result per sink.

    Args:
        sinks: The sinks that are set.
        meter: The meter that the test alert names.
        only: The name of one sink; None for all.
        now: The current time, with a zone.

    Returns:
        Whether every sink accepted it.

    Raises:
        click.ClickException: When no such sink is configured.
    """
    chosen = [sink for sink in sinks if only in (None, sink.name)]
    if not chosen:
        what = f"sink {only} is not configured" if only else "no sink is configured"
        raise click.ClickException(
            f"{what}: set USAGE_ALERT_WEBHOOK_URL, USAGE_ALERT_SLACK_URL, USAGE_ALERT_EMAIL_TO "
            "with USAGE_ALERT_SMTP_URL, USAGE_ALERT_SNS_TOPIC, or USAGE_ALERT_MQTT_URL"
        )
    alert = trial_alert(meter, now)
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
