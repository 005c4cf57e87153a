"""The figures on the page: latest reading, today, the week, load profile, daily energy and cost.

Belongs here: `/api/overview` and `/api/shape`. Not here: how they are calculated (`core.load`).
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.load.comparison import compare_day, compare_week
from usage_platform.core.load.days import cost_of, day_totals
from usage_platform.core.load.load_shape import load_duration, load_shape, week_profile
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.readings.gaps import find_gaps
from usage_platform.core.time.day_numbers import day_of
from usage_platform.services.page_data import Year
from usage_platform.web.answers import as_json, seconds, unless_known
from usage_platform.web.parameters import source_of, span_of, year_of

_BUCKET_MINUTES = 30
_JSON = "application/json"
_A_MONTH = 30 * 86_400 * 10**9


def overview(request: Request) -> Response:
    """The tiles at the top of the page."""
    year, source = year_of(request), source_of(request)
    return unless_known(
        request, year.version, lambda: as_json(_overview(year, source.tariff)), _JSON
    )


def _overview(year: Year, tariff: float | None) -> dict[str, object]:
    power = year.power
    if not power.meter.is_power:
        tariff = None
    missing = find_gaps(power.instants, power.meter.interval_minutes, year.expected_since)
    longest = max(missing, key=lambda gap: gap.missing, default=None)
    last_month = power.between(int(power.instants[-1]) - _A_MONTH, 1 << 62) if len(power) else power
    return {
        "now": _now(year),
        "day": _day(power, tariff),
        "week": compare_week(power),
        "shape": _shape(last_month),
        "days": day_totals(power, tariff),
        "readings": len(power),
        "missing": sum(gap.missing for gap in missing),
        "gaps": len(missing),
        "longest_gap": None
        if longest is None
        else {"start": seconds(longest.start), "end": seconds(longest.end)},
    }


def _now(year: Year) -> dict[str, object] | None:
    power = year.power
    if not len(power):
        return None
    at = int(power.instants[-1])
    return {
        "at": seconds(at),
        "kw": power.values[-1],
        "expected": power.expected[-1],
        "low": power.low[-1],
        "high": power.high[-1],
        "is_anomaly": any(time.value == at for time in year.anomalies["event_time"]),
    }


def _day(power: PowerSeries, tariff: float | None) -> dict[str, object] | None:
    found = compare_day(power)
    if found is None:
        return None
    return {
        "day": day_of(found.day),
        "energy_kwh": found.energy_kwh,
        "usual_kwh": found.usual_kwh,
        "cost": cost_of(found.energy_kwh, tariff),
        "days": found.days,
        "steps": found.steps,
        "usual_steps": found.usual_steps,
    }


def _shape(power: PowerSeries) -> dict[str, object]:
    shape = load_shape(power)
    return {**vars(shape), "peak_at": seconds(shape.peak_at)}


def shape(request: Request) -> Response:
    """The load profile of a range: figures, load duration curve, means by weekday and time."""
    year = year_of(request)
    power = year.power
    ends = (int(power.instants[0]), int(power.instants[-1]) + 1) if len(power) else (0, 0)
    start, end = span_of(request, ends)

    def body() -> str:
        part = power.between(start, end)
        hours, kw = load_duration(part)
        bucket = max(_BUCKET_MINUTES, part.meter.interval_minutes)
        means, _ = week_profile(part, bucket)
        return as_json(
            {
                "shape": _shape(part),
                "duration": {"hours": hours, "kw": kw},
                "week": {"bucket_minutes": bucket, "kw": means},
            }
        )

    return unless_known(request, f"{year.version}-{start}-{end}", body, _JSON)


ROUTES = (Route("/api/overview", overview), Route("/api/shape", shape))
