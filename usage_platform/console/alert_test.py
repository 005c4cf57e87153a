"""`usage-platform alert-test`: check that alerts are delivered.

Belongs here: sending a test alert to each sink and printing the result. Not here: the sinks
(`adapters.alert_sinks`).
"""

from datetime import datetime

import click

from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError, trial_alert
from usage_platform.wiring.platform import Deployment


def send_tests(deployment: Deployment, only: str | None, now: datetime) -> bool:
    """Send one test alert to each sink and print the result per sink.

    Args:
        deployment: The services.
        only: The name of one sink; None for all.
        now: The current time, with a zone.

    Returns:
        Whether every sink accepted it.

    Raises:
        click.ClickException: When no such sink is configured.
    """
    sinks = [sink for sink in deployment.alert_sinks() if only in (None, sink.name)]
    if not sinks:
        what = f"sink {only} is not configured" if only else "no sink is configured"
        raise click.ClickException(
            f"{what}: set USAGE_ALERT_WEBHOOK_URL, USAGE_ALERT_SLACK_URL, USAGE_ALERT_EMAIL_TO "
            "with USAGE_ALERT_SMTP_URL, USAGE_ALERT_SNS_TOPIC, or USAGE_ALERT_MQTT_URL"
        )
    alert = trial_alert(deployment.settings.default_meter, now)
    taken = [_takes(sink, alert, now) for sink in sinks]
    return all(taken)


def _takes(sink: AlertSink, alert: Alert, now: datetime) -> bool:
    try:
        sink.deliver(alert, now)
    except DeliveryError as error:
        click.echo(f"{sink.name}: {error}")
        return False
    click.echo(f"{sink.name}: delivered")
    return True
