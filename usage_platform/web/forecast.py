"""A meter's forecast: the next 24 hours, the month's energy, cost and peak.

Belongs here: `/api/forecast`. Not here: making forecasts (`services.meter_forecast`).
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.services.meter_forecast import MeterForecast
from usage_platform.settings.settings import SettingsError
from usage_platform.web.answers import as_json, rounded, seconds, unless_known
from usage_platform.web.parameters import meter_of, source_of

_DECIMALS = 2


def forecast(request: Request) -> Response:
    """The forecast of a meter from its newest reading on."""
    try:
        made = source_of(request).forecasts.forecast(meter_of(request))
    except SettingsError as error:
        raise HTTPException(503, str(error)) from None
    return unless_known(request, made.version, lambda: as_json(_content(made)), "application/json")


def _content(made: MeterForecast) -> dict[str, object]:
    found = made.forecast
    if found is None:
        return {"forecast": None}
    energy = found.power.sum() / found.meter.readings_per_hour
    return {
        "forecast": {
            "made_at": seconds(found.made_at),
            "at": [seconds(at) for at in found.instants.tolist()],
            "kw": rounded(found.power, _DECIMALS),
            "low": rounded(found.low, _DECIMALS),
            "high": rounded(found.high, _DECIMALS),
            "energy_kwh": energy,
            "month": found.month.label,
            "used_kwh": found.used_kwh,
            "month_energy": found.month_energy,
            "month_cost": made.month_cost,
            "peak_kw": found.peak_kw,
            "peak_probability": found.peak_probability,
        }
    }


ROUTES = (Route("/api/forecast", forecast),)
