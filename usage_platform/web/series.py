"""The meters there are, and a meter's year in packed form.

Belongs here: `/api/meters` and `/api/series`. Not here: figures (`overview`), tables (`hours`).
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.load.clock_changes import offsets_between
from usage_platform.core.load.packed import pack
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.web.answers import answer, unless_known
from usage_platform.web.parameters import source_of, span_of, year_of

_S = 10**9
_LATEST = 4_102_444_800  # 2100
_BEYOND = 2 * 366 * 86_400


def meters(request: Request) -> Response:
    """The meters by name, the default one first, and what the settings say of money."""
    source = source_of(request)
    registry, first = source.registry(), source.default_meter.name
    # Programs may send readings of meters that no source has described.
    names = {*registry.known, *source.years.meters()}
    others = [registry.get(name) for name in sorted(names - {first})]
    # A default meter that never sent a reading is not there when others are.
    listed = [registry.get(first), *others] if first in names or not others else others
    return answer(
        {
            "meters": [_described(meter) for meter in listed],
            "tariff": source.tariff,
            "currency": source.currency,
        }
    )


def _described(meter: Meter) -> dict[str, object]:
    return {
        "name": meter.name,
        "timezone": meter.timezone,
        "interval_minutes": meter.interval_minutes,
    }


def series(request: Request) -> Response:
    """A meter's year, or the part of it from `from` to `to`, in packed form (`core.load.packed`).

    Headers say what is not in the packed form: `X-Version`, the version of what is shown.
    """
    year = year_of(request)
    bounds = [local_day_bounds(day, year.power.meter.timezone) for day in (year.first, year.last)]
    start, end = span_of(request, (bounds[0][0].value, bounds[1][1].value))
    version = f"{year.version}-{start // _S}-{end // _S}"
    part = year.power.between(start, end)
    response = unless_known(request, version, lambda: pack(part), "application/octet-stream")
    response.headers["X-Version"] = year.version
    return response


def clock(request: Request) -> Response:
    """The building's offsets from UTC from the year's first day to two years after its last."""
    year = year_of(request)
    zone = year.power.meter
    start = int(local_day_bounds(year.first, zone.timezone)[0].value) // _S
    end = int(local_day_bounds(year.last, zone.timezone)[1].value) // _S
    if not year.years:  # The first reading that comes may be of any time.
        end = _LATEST
    return answer(
        {
            "timezone": zone.timezone,
            "offsets": offsets_between(zone.zone, start - _BEYOND, end + _BEYOND),
            "first": start,
            "end": end,
            "years": year.years,
        }
    )


ROUTES = (
    Route("/api/meters", meters),
    Route("/api/clock", clock),
    Route("/api/series", series),
)
