"""`usage-platform alerts`: what each target gets, and which route takes an episode.

Belongs here: the words on the screen. Not here: what routes do (`core.alerts.routes`), options
(`alerts_command`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Self

import pandas as pd
from rich.markup import escape
from rich.table import Table

from usage_platform.adapters.alert_sinks.unconfigured import UnconfiguredSink
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.stores.alert_routes import routes_in
from usage_platform.console.screen import table
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.quiet_hours import end_of_quiet
from usage_platform.core.alerts.routes import (
    Facts,
    Route,
    Routes,
    Weekly,
    day_name,
    is_as_severe,
    refusal,
)
from usage_platform.core.alerts.routes_file import KINDS
from usage_platform.core.meters import Meter
from usage_platform.core.time.user_times import parse_instant
from usage_platform.settings.settings import SettingsError
from usage_platform.wiring.groups import lake_groups
from usage_platform.wiring.platform import Platform
from usage_platform.wiring.routed import unknown_groups
from usage_platform.wiring.sinks import chosen_sinks
from usage_platform.wiring.targets import chosen_targets

_UNROUTED = "what no route takes"


@dataclass(frozen=True)
class Question:
    """An episode of which is asked who gets the alert.

    Attributes:
        meter: The meter.
        kind: The episode's kind.
        severity: The episode's severity.
        cost: The episode's cost; None if it is unknown.
        at: When, with a zone.
    """

    meter: Meter
    kind: str
    severity: Severity
    cost: Decimal | None
    at: datetime

    @classmethod
    def parsed(
        cls,
        platform: Platform,
        given: tuple[str, str, str, str | None, str | None],
        now: pd.Timestamp,
    ) -> Self:
        """Read the options.

        Args:
            platform: Gives the known meters.
            given: Meter, kind, severity, cost and time as they were typed.
            now: The current time.

        Raises:
            SettingsError: In one line, for one that cannot be read.
        """
        name, kind, severity, cost, at = given
        try:
            meter = platform.registry().get(name)
            moment = now if at is None else parse_instant(at, meter.timezone)
        except ValueError as error:
            raise SettingsError(f"alerts route: {error}") from None
        if kind not in KINDS:
            raise SettingsError(
                f"alerts route: --kind: expected one of {', '.join(KINDS)}, got {kind!r}"
            )
        return cls(meter, kind, Severity(severity), _number(cost), moment.to_pydatetime())


def _number(text: str | None) -> Decimal | None:
    try:
        number = None if text is None else Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number is not None and not number.is_finite():
        raise SettingsError(f"alerts route: --cost: expected a number such as 12.50, got {text!r}")
    return number


def read_routes(platform: Platform, file: Path | None) -> Routes:
    """The routes of the lake's file, which need not be there, or of another one.

    Raises:
        SettingsError: In one line, when the other file is no UTF-8.
        LakeError: In one line, when something in it is wrong.
    """
    if file is not None:
        try:
            return routes_in(file.read_text("utf-8"), str(file))
        except UnicodeDecodeError as error:
            raise SettingsError(f"{file}: expected UTF-8 ({error.reason})") from None
    return platform.routes.read() or Routes()


def verdict(platform: Platform, file: Path | None, routes: Routes) -> str:
    """The line about routes without a problem."""
    # As the sensor sees it: without a file alerts are sent too.
    if file is None and platform.routes.read() is None:
        return (
            f"{platform.routes.place}: no such file; every alert goes to all configured sinks; "
            "docs/alerts.md shows how to write one"
        )
    return f"alerts: {len(routes.routes):,} routes; nothing is wrong"


def described(platform: Platform, routes: Routes) -> Table:
    """What each target gets, a row a target."""
    rows = table("Targets of alerts", "target", "sink", "gets", "weekly mail")
    known = {target.name: target for target in routes.targets}
    for name in chosen_targets(platform.settings, routes):
        target = known.get(name)
        gets = list(_shares(routes, name))
        if any(sink.name == name for sink in chosen_sinks(platform.settings)):
            gets.append(_UNROUTED)
        sink = name if target is None else target.sink
        weekly = "" if target is None or target.weekly is None else _weekly(target.weekly)
        rows.add_row(*map(escape, (name, sink, "; ".join(gets) or "nothing", weekly)))
    return rows


def problems(platform: Platform, routes: Routes) -> list[str]:
    """What is wrong with the file, beyond its form: a line each."""
    found = [
        f"target {name}: {sink.reason}"
        for name, sink in chosen_targets(platform.settings, routes).items()
        if isinstance(sink, UnconfiguredSink)
    ]
    if routes.used_groups:
        try:
            found += unknown_groups(routes, lake_groups(platform))
        except LakeError as error:
            found.append(str(error))
    return found


def explained(platform: Platform, routes: Routes, question: Question) -> Iterator[str]:
    """Why each route takes an episode or does not, up to the first one that does."""
    settings, meter = platform.settings, question.meter
    groups = lake_groups(platform) if routes.used_groups else None
    day = question.at.astimezone(meter.zone).date()
    facts = Facts(
        meter=meter,
        groups=frozenset() if groups is None else groups.names_of(meter.name, day),
        kind=question.kind,
        severity=question.severity,
        at=question.at,
        cost=lambda: question.cost,
    )
    for route in routes.routes:
        reason = refusal(route, facts, settings.alert_min_severity)
        if not reason:
            yield f"route {route.name}: takes it"
            yield from _consequences(route, question)
            return
        yield f"route {route.name}: no, {reason}"
    sinks = ", ".join(sink.name for sink in chosen_sinks(settings))
    if not is_as_severe(question.severity, settings.alert_min_severity):
        yield f"no route takes it; below USAGE_ALERT_MIN_SEVERITY={settings.alert_min_severity}"
    else:
        yield f"no route takes it; sent to all configured sinks: {sinks or 'none is configured'}"


def _consequences(route: Route, question: Question) -> Iterator[str]:
    zone = question.meter.zone
    until = None
    if route.quiet_hours is not None:
        until = end_of_quiet(route.quiet_hours, question.at, zone)
    when = "at once" if until is None else f"held until {until.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    yield f"  {', '.join(route.targets)}: {when}"
    for step in route.escalate_after:
        yield f"  {', '.join(step.targets)}: after {step.hours:g} h without acknowledgement"


def _shares(routes: Routes, name: str) -> Iterator[str]:
    """What the routes send to a target."""
    for route in routes.routes:
        if name in route.targets:
            yield f"route {route.name}"
        for step in route.escalate_after:
            if name in step.targets:
                yield f"route {route.name} after {step.hours:g} h"


def _weekly(weekly: Weekly) -> str:
    return f"{day_name(weekly.day)} {weekly.minute // 60:02}:{weekly.minute % 60:02}"
