"""The content of the file `alerts.yaml`: to targets and routes, or one line on what is wrong.

Belongs here: the form of the file and what must hold in it. Not here: what routes do (`routes`),
reading YAML (adapters), whether a target's sink is configured (`wiring.targets`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, cast

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from usage_platform.core.alerts.addresses import check_mqtt_topic, mail_addresses
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.routes import Route, Routes, Step, Target, Weekly
from usage_platform.core.anomalies.gap_messages import GAP, SILENT
from usage_platform.core.anomalies.peak_messages import PEAK_WARNING
from usage_platform.core.detector.score import Kind
from usage_platform.core.form_errors import form_error
from usage_platform.core.tariffs.field_types import Amount, Fields
from usage_platform.core.tariffs.times import DAY_NAMES, HOLIDAY, Days, Hours, Times

KINDS = (*(kind.value for kind in Kind if kind), GAP, SILENT, PEAK_WARNING)
"""The kinds of episodes."""

SINK_NAMES = ("webhook", "slack", "email", "sns", "mqtt")
RESERVED = (*SINK_NAMES, "routes", "weekly")
"""Names that no target may have: those of sinks, and of files beside those of targets."""

LONGEST_HOURS = 168
_MOST_ENTRIES = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_WEEKDAYS = {
    name: day
    for day, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
}
_ENTRIES = {"routes": "route", "escalate_after": "step"}


def _target_name(text: object) -> str:
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise ValueError(
            "expected a name of at most 40 letters a-z, digits, - and _, begun by one of the first "
            "two"
        )
    return text


def _mail(text: object) -> str:
    if not isinstance(text, str) or "," in text or not text:
        raise ValueError("expected a list of mail addresses")
    return mail_addresses(text)[0]


def _topic(text: str) -> str:
    check_mqtt_topic(text)
    return text


def _route_days(days: frozenset[int]) -> frozenset[int]:
    if HOLIDAY in days:
        raise ValueError(f"expected days out of {', '.join(DAY_NAMES[:HOLIDAY])}, not holidays")
    return days


def _quiet(hours: tuple[int, int]) -> tuple[int, int]:
    if hours == (0, 1440):
        raise ValueError("expected quiet hours that end, such as 22:00-07:00")
    return hours


def _clock(text: object) -> int:
    found = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("expected a time such as 07:00")
    return 60 * int(found[1]) + int(found[2])


def _weekday(text: object) -> int:
    if not isinstance(text, str) or text not in _WEEKDAYS:
        raise ValueError(f"expected one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS[text]


def _sink(text: object) -> object:
    return _choice(text, SINK_NAMES)


def _severity(text: object) -> object:
    return _choice(text, [one.value for one in Severity])


def _choice(text: object, names: Sequence[str]) -> object:
    if text not in names:
        *others, last = (repr(name) for name in names)
        raise ValueError(f"expected {', '.join(others)} or {last}")
    return text


def _kind(text: object) -> object:
    if text not in KINDS:
        raise ValueError(f"expected kinds out of {', '.join(KINDS)}")
    return text


def _hours_later(text: Decimal) -> float:
    if not 0 < text <= LONGEST_HOURS:
        raise ValueError(f"expected hours above 0 and at most {LONGEST_HOURS}")
    return float(text)


TargetName = Annotated[str, BeforeValidator(_target_name)]
TargetNames = Annotated[tuple[TargetName, ...], Field(min_length=1)]
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Weekly(Fields):
    day: Annotated[int, BeforeValidator(_weekday)]
    at: Annotated[int, BeforeValidator(_clock)]


class _Target(Fields):
    sink: Annotated[str, BeforeValidator(_sink)]
    to: tuple[Annotated[str, BeforeValidator(_mail)], ...] = ()
    topic: Annotated[str, AfterValidator(_topic)] | None = None
    address: TargetName | None = None
    weekly: _Weekly | None = None


class _Step(Fields):
    hours: Annotated[Amount, AfterValidator(_hours_later)]
    targets: TargetNames


class _Route(Fields):
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    targets: TargetNames
    meters: tuple[_Text, ...] = ()
    groups: tuple[_Text, ...] = ()
    kinds: tuple[Annotated[str, BeforeValidator(_kind)], ...] = ()
    min_severity: Annotated[Severity, BeforeValidator(_severity)] | None = None
    min_cost: Amount | None = None
    days: Annotated[Days, AfterValidator(_route_days)] = frozenset()
    hours: Hours | None = None
    quiet_hours: Annotated[Hours, AfterValidator(_quiet)] | None = None
    escalate_after: tuple[_Step, ...] = ()


class _File(Fields):
    targets: dict[TargetName, _Target] = Field(
        default_factory=dict[str, _Target], max_length=_MOST_ENTRIES
    )
    routes: tuple[_Route, ...] = Field((), max_length=_MOST_ENTRIES)


def parse_routes(content: object) -> Routes:
    """The targets and routes that a file describes.

    Args:
        content: The file as dictionaries, lists and texts (`yaml_texts`); None if it is empty.

    Raises:
        ValueError: In one line that names the target or route, the field and what is expected.
    """
    try:
        found = _File.model_validate({} if content in (None, "") else content)
    except ValidationError as error:
        line = form_error(error, content, _ENTRIES, "docs/alerts.md", {"targets": "target"})
        raise ValueError(line) from None
    routes = Routes(
        tuple(_target(name, one) for name, one in found.targets.items()),
        tuple(map(_route, found.routes)),
    )
    _check(routes)
    return routes


def _target(name: str, found: _Target) -> Target:
    weekly = None if found.weekly is None else Weekly(found.weekly.day, found.weekly.at)
    return Target(name, found.sink, found.to, found.topic or "", found.address or "", weekly)


def _route(found: _Route) -> Route:
    hours = () if found.hours is None else (found.hours,)
    return Route(
        found.name,
        found.targets,
        found.meters,
        found.groups,
        found.kinds,
        found.min_severity,
        found.min_cost,
        # Both were read from their texts above.
        Times.model_construct(days=found.days, hours=hours),
        found.quiet_hours,
        tuple(Step(cast("float", one.hours), one.targets) for one in found.escalate_after),
    )


def _check(routes: Routes) -> None:
    for target in routes.targets:
        _check_target(target)
    names = Counter(route.name for route in routes.routes)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise ValueError(f"route {twice[0]}: name: expected each name once")
    known = {target.name for target in routes.targets} | set(SINK_NAMES)
    for route in routes.routes:
        _check_route(route, known)


def _check_target(target: Target) -> None:
    where = f"target {target.name}: "
    if target.name in RESERVED:
        raise ValueError(f"{where}expected another name than {', '.join(RESERVED)}")
    for field, value, sinks in (
        ("to", target.to, ("email",)),
        ("topic", target.topic, ("mqtt",)),
        ("address", target.address, ("webhook", "slack")),
        ("weekly", target.weekly, ("email",)),
    ):
        if value and target.sink not in sinks:
            raise ValueError(f"{where}{field}: expected it for sink {' or '.join(sinks)} only")


def _check_route(route: Route, known: set[str]) -> None:
    where = f"route {route.name}: "
    steps = [("targets", route.targets)]
    steps += [("escalate_after: targets", step.targets) for step in route.escalate_after]
    seen: set[str] = set()
    for field, names in steps:
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{where}{field}: expected a target of this file or a sink "
                    f"({', '.join(SINK_NAMES)}), got {name!r}"
                )
            if name in seen:
                raise ValueError(f"{where}{field}: expected each target once, got {name} again")
            seen.add(name)
    hours = [step.hours for step in route.escalate_after]
    if hours != sorted(set(hours)):
        raise ValueError(f"{where}escalate_after: hours: expected each step later than the last")
