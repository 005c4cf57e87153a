"""`usage-platform alert-test`: whether alerts arrive.

Belongs here: sending a test to each sink and saying what came of it. Not here: sinks (adapters).
"""

from datetime import datetime

import click

from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError, trial_alert
from usage_platform.wiring.platform import Platform


def send_tests(deployment: Platform, only: str | None, now: datetime) -> bool:
    """Send one test alert to each sink, and print what each said.

    Args:
        deployment: The services.
        only: The name of one sink; all by default.
        now: The current time, with a zone.

    Returns:
        Whether all of them took it.

    Raises:
        click.ClickException: When there is no such sink.
    """
    sinks = [sink for sink in deployment.alert_sinks() if only in (None, sink.name)]
    if not sinks:
        what = f"no sink {only} is set" if only else "no sink is set"
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
    click.echo(f"{sink.name}: taken")
    return True
