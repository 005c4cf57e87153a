"""The parts of a group on top of each other, with the rest of its main meter.

Belongs here: `/api/fleet/stack`. Not here: what is read (`services.group_stack`), what is stacked
(`core.fleet.stack`).
"""

import math

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.arrays import Floats
from usage_platform.core.fleet.groups import Group
from usage_platform.core.load.clock_changes import offsets_between
from usage_platform.services.group_stack import GroupStack, SpanTooLongError, group_stack
from usage_platform.web.answers import rounded, seconds, unless_same
from usage_platform.web.fleet import known_group
from usage_platform.web.parameters import chosen_span, source_of

_S = 10**9


def stack(request: Request) -> Response:
    """The parts of the group `name` from `from` to `to`."""
    source = source_of(request)
    group, span = known_group(request), chosen_span(request)
    try:
        found = group_stack(source.reader, source.registry(), group, span)
    except SpanTooLongError as error:
        raise HTTPException(400, str(error)) from None
    return unless_same(request, _content(group, found, span))


def _content(group: Group, found: GroupStack, span: tuple[int, int]) -> dict[str, object]:
    made = found.stack
    ends = [seconds(at) or 0 for at in span]
    return {
        "name": group.name,
        "kind": group.kind,
        "from": ends[0],
        "to": ends[1],
        "step_minutes": found.step_minutes,
        "timezone": found.first.timezone,
        "offsets": offsets_between(found.first.zone, ends[0], ends[1]),
        "at": (found.starts // _S).tolist(),
        "layers": [
            {"name": one.name, **_power(found, one.kw), "missing_hours": one.missing_hours}
            for one in made.layers
        ],
        "rest": None if made.rest is None else _power(found, made.rest),
        "main": None if found.main is None else _power(found, found.main),
        "hours": len(made.is_whole),
        "whole_hours": int(made.is_whole.sum()),
        "absent": made.absent,
        "negative_hours": made.negative_hours,
    }


def _power(found: GroupStack, kw: Floats) -> dict[str, object]:
    """The power of each step, and the energy of the hours that are stacked."""
    kwh = math.fsum(kw[found.stack.is_whole])
    return {"power": rounded(found.shown(kw)), "kwh": kwh}


ROUTES = (Route("/api/fleet/stack", stack),)
