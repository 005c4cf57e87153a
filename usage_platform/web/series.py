"""The list of meters, and a meter's year in packed form.

Belongs here: `/api/meters`, `/api/clock` and `/api/series`. Not here: figures (`overview`),
tables (`hours`).
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
    """The meters by name, the default one first, with tariff and currency."""
    source = source_of(request)
    registry, first = source.registry(), source.default_meter.name
    # Producers may send readings of meters that no source describes.
    names = {*registry.known, *source.years.meters()}
    others = [registry.get(name) for name in sorted(names - {first})]
    # A default meter without readings is left out if others have some.
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
        "unit": meter.unit,
        "amount": meter.unit.amount,
    }


def series(request: Request) -> Response:
    """A meter's year, or the part of it from `from` to `to`, in packed form (`core.load.packed`).

    The header `X-Version` is the version of the data.
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
    """The building's UTC offsets, from two years before the year to two years after it."""
    year = year_of(request)
    zone = year.power.meter
    start = int(local_day_bounds(year.first, zone.timezone)[0].value) // _S
    end = int(local_day_bounds(year.last, zone.timezone)[1].value) // _S
    if not year.years:  # The first reading may have any time.
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
