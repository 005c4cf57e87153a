"""Sends the weekly mails that are due, each once.

Belongs here: which are due, sending and recording. Not here: the figures (`week_summary`), when it
is looked for them (`defs.weekly_mail`).

A mail is sent, then that is recorded: after a crash in between it is sent again, with the same
Message-ID.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from usage_platform.adapters.alert_sinks.mail import MailPage
from usage_platform.adapters.drawing.weekly_plots import week_picture
from usage_platform.adapters.stores.weekly_record import WeeklyRecord
from usage_platform.core.alerts.alert import DeliveryError
from usage_platform.core.alerts.routes import Routes
from usage_platform.core.alerts.weekly_schedule import last_due
from usage_platform.core.alerts.weekly_summary import WeekSummary, subject, text
from usage_platform.services.weekly_html import CHART_ID, html_of

NO_READINGS = "there are no readings of the last two days"
"""Why no mail is sent: its figures would be those of another week."""


class PageSink(Protocol):
    """Somewhere pages are mailed to."""

    def deliver_page(self, page: MailPage, now: datetime) -> None:
        """Send a page and wait until it was taken.

        Raises:
            DeliveryError: When it was not taken.
        """
        ...


@dataclass(frozen=True)
class MailsSent:
    """The result of a turn.

    Attributes:
        sent: The names of the targets that got their mail.
        failed: For each other one the reason, in one line without a secret.
    """

    sent: tuple[str, ...]
    failed: Mapping[str, str]


def due_mails(
    record: WeeklyRecord, routes: Routes, now: datetime, zone: ZoneInfo
) -> dict[str, datetime]:
    """The targets whose mail is due, with the time at which it was due, UTC.

    A target that is new gets its first mail the next time. After several weeks without the platform
    one mail is due.

    Args:
        record: The mails that were sent.
        routes: The targets.
        now: The current time, with a zone.
        zone: The local time of the schedule.

    Raises:
        LakeError: When the record cannot be read or written.
    """
    sent = record.read()
    due = {
        target.name: last_due(target.weekly, now, zone)
        for target in routes.targets
        if target.weekly is not None
    }
    new = {name: at for name, at in due.items() if name not in sent}
    if new:
        sent |= new
        record.write(sent)
    return {name: at for name, at in due.items() if at > sent[name]}


def send_mails(
    record: WeeklyRecord,
    due: Mapping[str, datetime],
    sinks: Mapping[str, PageSink],
    summary: Callable[[], WeekSummary | None],
    now: datetime,
) -> MailsSent:
    """Send the mails that are due; one that fails stops no other.

    Args:
        record: The mails that were sent.
        due: The targets with the times at which their mails were due.
        sinks: The targets that can be mailed to, by name.
        summary: Gives the week's figures.
        now: The current time, with a zone.

    Raises:
        LakeError: When the lake cannot be read or written.
    """
    found = summary() if due else None
    picture = b"" if found is None else week_picture(found)
    done: list[str] = []
    failed: dict[str, str] = {}
    for name, at in due.items():
        if found is None:
            failed[name] = NO_READINGS
        elif name not in sinks:
            failed[name] = "the settings of its mail are missing"
        else:
            try:
                sinks[name].deliver_page(_page(name, at, found, picture), now)
            except DeliveryError as error:
                failed[name] = str(error)
                continue
            record.write({**record.read(), name: at})
            done.append(name)
    return MailsSent(tuple(done), failed)


def _page(name: str, due: datetime, summary: WeekSummary, picture: bytes) -> MailPage:
    key = f"weekly/{name}/{due:%Y-%m-%dT%H:%MZ}"
    return MailPage(key, subject(summary), text(summary), html_of(summary), picture, CHART_ID)
