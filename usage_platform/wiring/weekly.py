"""What the weekly mail needs, built from the settings.

Belongs here: building it. Not here: sending (`services.weekly_mail`).
"""

from collections.abc import Callable
from datetime import datetime

from usage_platform.adapters.alert_sinks.mail import MailSink
from usage_platform.core.alerts.routes import Routes
from usage_platform.core.alerts.weekly_summary import WeekSummary
from usage_platform.services.week_summary import WeekSource, has_recent_hours, week_summary
from usage_platform.wiring.fleet import fleet_of
from usage_platform.wiring.platform import Platform
from usage_platform.wiring.targets import chosen_targets


def mail_targets(deployment: Platform, routes: Routes) -> dict[str, MailSink]:
    """The targets that can be mailed to, by name."""
    targets = chosen_targets(deployment.settings, routes)
    return {name: sink for name, sink in targets.items() if isinstance(sink, MailSink)}


def week_of(deployment: Platform, now: datetime) -> Callable[[], WeekSummary | None]:
    """Gives the week's figures; None without readings of the last two days."""

    def summary() -> WeekSummary | None:
        if not has_recent_hours(deployment.reader, now):
            return None
        source = WeekSource(
            deployment.reader,
            deployment.tariff_book(),
            deployment.registry(),
            deployment.settings.default_meter.zone,
        )
        return week_summary(fleet_of(deployment).fleet(), source)

    return summary
