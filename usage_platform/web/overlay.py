"""Several meters on one chart.

Belongs here: `/api/overlay`. Not here: what is read (`services.overlay`), steps and units
(`core.load.overlay`).
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.load.clock_changes import offsets_between
from usage_platform.core.load.overlay import (
    MOST_METERS,
    MeterLine,
    OverlayUnit,
    UnitError,
)
from usage_platform.core.meters import Meter
from usage_platform.services.overlay import Overlay, overlay
from usage_platform.web.answers import rounded, seconds, unless_same
from usage_platform.web.parameters import chosen_span, known_meter, one_of, source_of

_S = 10**9


def several(request: Request) -> Response:
    """The meters of the parameters `meter` from `from` to `to`, in `unit`."""
    source = source_of(request)
    meters = _meters(request)
    unit = one_of(OverlayUnit, "unit", request.query_params.get("unit") or OverlayUnit.KW)
    span = chosen_span(request)
    try:
        found = overlay(source.reader, meters, unit, source.fleet.fleet().areas, span)
    except UnitError as error:
        raise HTTPException(400, str(error)) from None
    return unless_same(request, _content(found, unit, span))


def _meters(request: Request) -> list[Meter]:
    names = list(dict.fromkeys(request.query_params.getlist("meter")))
    if not 1 <= len(names) <= MOST_METERS:
        raise HTTPException(400, f"meter: expected 1 to {MOST_METERS} meters, got {len(names)}")
    return [known_meter(request, name) for name in names]


def _content(found: Overlay, unit: OverlayUnit, span: tuple[int, int]) -> dict[str, object]:
    first = found.lines[0].meter
    zones = {line.meter.timezone for line in found.lines}
    ends = [seconds(at) or 0 for at in span]
    return {
        "from": ends[0],
        "to": ends[1],
        "unit": unit if first.is_power else first.unit,
        "amount": first.unit.amount,
        "step_minutes": found.step_minutes,
        "timezone": first.timezone,
        "has_other_zones": len(zones) > 1,
        "offsets": offsets_between(first.zone, ends[0], ends[1]),
        "at": (found.starts // _S).tolist(),
        "meters": [_line(line) for line in found.lines],
    }


def _line(line: MeterLine) -> dict[str, object]:
    return {
        "name": line.meter.name,
        "power": rounded(line.power),
        "energy_kwh": line.energy_kwh,
        "readings": line.readings,
        "expected_readings": line.expected_readings,
    }


ROUTES = (Route("/api/overlay", several),)
