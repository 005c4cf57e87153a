"""The words of a digest: several alerts that were held, in one message.

Belongs here: its key, title and text. Not here: which alerts it holds (`alert_queue`).
"""

from datetime import UTC, datetime

from usage_platform.core.alerts.alert import Alert, AlertState, Severity, Standing
from usage_platform.core.alerts.alert_queue import Batch
from usage_platform.core.alerts.alert_texts import long_time
from usage_platform.core.meters import Meter

_ORDER = [severity.value for severity in Severity]


def digest_alert(batch: Batch, target: str, meter: Meter) -> Alert:
    """The alert on several alerts; the same batch of a target always has the same key.

    Args:
        batch: The alerts.
        target: The target's name: targets may share a receiver that knows alerts by their keys.
        meter: Gives the local time.
    """
    alerts = [one.alert for one in batch.entries]
    at = datetime.fromtimestamp(batch.ready_at, UTC)
    count = len(alerts) + batch.more
    until = long_time(at.astimezone(meter.zone))
    lines = [f"Held until {until}." if alerts else f"They were due by {until}.", ""]
    lines += [alert.title for alert in alerts]
    if batch.more:
        lines.append(
            f"{batch.more:,} more: the page lists all episodes, the topic `episode` has each "
            "message."
        )
    severities = [alert.severity for alert in alerts if alert.severity]
    return Alert(
        key=f"digest/{target}/{at:%Y-%m-%dT%H:%M:%SZ}",
        standing=Standing(AlertState.DIGEST),
        meter="",
        episode="",
        severity=max(severities, key=_ORDER.index, default=""),
        title=f"{count:,} alerts {'were held' if alerts else 'could not be sent in time'}",
        text="\n".join(lines),
        event={"alerts": [alert.as_json() for alert in alerts], "more": batch.more},
    )
