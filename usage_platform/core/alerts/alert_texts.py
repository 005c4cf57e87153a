"""The words of the alerts on one episode.

Belongs here: keys, titles and texts. Not here: which alert is due (`sent_alerts`), alerts on many
episodes (`storms`).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from usage_platform.core.alerts.alert import Alert, AlertState, Standing
from usage_platform.core.anomalies.gap_messages import SILENT
from usage_platform.core.anomalies.peak_messages import PEAK_WARNING, Outcome
from usage_platform.core.meters import Meter

_BECAME: Mapping[str, str] = {
    Outcome.EXCEEDED: "a new peak was set",
    Outcome.HELD: "no new peak",
    Outcome.UNKNOWN: "readings are missing",
}


def episode_key(event: Mapping[str, Any]) -> str:
    """The key of a message's episode: `meter/episode`."""
    return f"{event['meter']}/{event['episode']}"


def episode_alert(event: Mapping[str, Any], standing: Standing, meter: Meter) -> Alert:
    """The alert that a message gives rise to.

    Args:
        event: A message of the topic `episode`.
        standing: The episode's standing with it.
        meter: Gives the local time.
    """
    again = f":{standing.times}" if standing.times > 1 else ""
    words = {
        AlertState.OPENED: _opened,
        AlertState.CLOSED: _closed,
        AlertState.WITHDRAWN: _withdrawn,
    }[standing.state]
    title, lines = words(event, standing, meter)
    return Alert(
        key=f"{episode_key(event)}:{standing.state}{again}",
        standing=standing,
        meter=meter.name,
        episode=event["episode"],
        severity=event.get("severity") or "",
        title=f"{meter.name}: {title}",
        text="\n".join(lines),
        event=event,
    )


def _opened(
    event: Mapping[str, Any], standing: Standing, meter: Meter
) -> tuple[str, Iterable[str]]:
    start = local_time(event["start"], meter)
    if standing.kind == PEAK_WARNING:
        return f"{_warning(start)} ({event['severity']})", (_sentence(event), *_peak_cost(event))
    title = f"{_kind(event)} since {start:%H:%M} ({event['severity']})"
    return title, (f"Since {long_time(start)}.", _sentence(event), *_energy(event, " so far"))


def _closed(
    event: Mapping[str, Any], standing: Standing, meter: Meter
) -> tuple[str, Iterable[str]]:
    start, end = local_time(event["start"], meter), local_time(event["end"], meter)
    if standing.kind == PEAK_WARNING:
        became = _BECAME.get(str(event.get("outcome")), _BECAME[Outcome.UNKNOWN])
        return f"{_warning(start)}: {became} ({event['severity']})", (_sentence(event),)
    what = "silence" if standing.kind == SILENT else _kind(event)
    title = f"{what} is over after {_duration(start, end)} ({event['severity']})"
    return title, (
        f"From {long_time(start)} to {long_time(end)}.",
        _sentence(event),
        *_energy(event, ""),
    )


def _withdrawn(
    event: Mapping[str, Any], standing: Standing, meter: Meter
) -> tuple[str, Iterable[str]]:
    start = local_time(event["episode"], meter)
    if standing.kind == SILENT:
        title = f"silence of {start:%Y-%m-%d %H:%M} is over"
        return title, ("Its readings have come after all, late: none is missing.",)
    line = "Late or corrected readings show that it was none: there is nothing to do."
    return f"false alarm of {start:%Y-%m-%d %H:%M} withdrawn", (
        line,
        f"It began {long_time(start)}.",
    )


def local_time(text: str, meter: Meter) -> datetime:
    """A time in ISO 8601 as the building's local time."""
    return datetime.fromisoformat(text).astimezone(meter.zone)


def long_time(at: datetime) -> str:
    """A time with its day and zone, for people."""
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M %Z}"


def _warning(day: datetime) -> str:
    return f"peak warning for {day:%a} {day.day} {day:%b %Y}"


def _peak_cost(event: Mapping[str, Any]) -> list[str]:
    cost = event.get("cost")
    if cost is None:
        return []
    said = f"{cost:,.2f} {event.get('currency')}"
    return [f"Such a peak would raise the month's demand charges by {said}, before taxes."]


def _kind(event: Mapping[str, Any]) -> str:
    return str(event["kind"]).replace("_", " ")


def _sentence(event: Mapping[str, Any]) -> str:
    said = str(event["explanation"])
    return f"{said[:1].upper()}{said[1:]}."


def _energy(event: Mapping[str, Any], until: str) -> list[str]:
    excess = event.get("excess_kwh")
    return [] if excess is None else [f"Against what was expected: {excess:+,.0f} kWh{until}."]


def _duration(start: datetime, end: datetime) -> str:
    # Two times of one zone would be subtracted as clocks show them, the change left out.
    span = end.astimezone(UTC) - start.astimezone(UTC)
    hours, minutes = divmod(round(span.total_seconds() / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def trial_alert(meter: Meter, now: datetime) -> Alert:
    """An alert that tells of no episode, to see whether alerts arrive.

    Args:
        meter: The meter that it names.
        now: The current time, with a zone.
    """
    at = now.astimezone(meter.zone)
    return Alert(
        key=f"test:{now.isoformat()}",
        standing=Standing(AlertState.TEST),
        meter=meter.name,
        episode="",
        severity="",
        title=f"{meter.name}: a test of the alerts",
        text=f"Sent {long_time(at)} by hand. Nothing is wrong; alerts arrive here.",
        event={},
    )
