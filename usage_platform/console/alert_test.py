"""`usage-platform alert-test`: check that alerts are delivered.

Belongs here: sending a test alert to each sink and target and printing the result. Not here: the
sinks (`adapters.alert_sinks`).
"""

from collections.abc import Mapping
from datetime import datetime

import click

from usage_platform.core.alerts.alert import Alert, AlertSink, DeliveryError
from usage_platform.core.alerts.alert_texts import trial_alert
from usage_platform.core.meters import Meter
from usage_platform.wiring.sinks import HOW_TO_CONFIGURE, SINKS


def send_tests(
    targets: Mapping[str, AlertSink], only: str | None, meter: Meter, now: datetime
) -> bool:
    """Send one test alert to each sink and target and print the result of each.

    Args:
        targets: The configured sinks and the targets of `alerts.yaml`, by name.
        only: The name of one of them; None for all.
        meter: The meter that the alert names.
        now: The current time, with a zone.

    Returns:
        Whether all accepted it.

    Raises:
        click.ClickException: When no such sink or target is known or configured.
    """
    names = tuple(dict.fromkeys((*SINKS, *targets)))
    if only not in (None, *names):
        raise click.UsageError(f"no sink is called {only!r}: choose one of {', '.join(names)}")
    chosen = [sink for name, sink in targets.items() if only in (None, name)]
    if not chosen:
        what = f"sink {only} is not configured" if only else "no sink is configured"
        raise click.ClickException(f"{what}: {HOW_TO_CONFIGURE}")
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
