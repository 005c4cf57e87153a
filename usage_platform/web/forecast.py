"""A meter's forecast: the next 24 hours, the month's energy, cost and peak.

Belongs here: `/api/forecast`. Not here: making forecasts (`services.meter_forecast`).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.time.units import NS_A_DAY
from usage_platform.services.meter_forecast import MeterForecast
from usage_platform.settings.settings import SettingsError
from usage_platform.web.answers import as_json, rounded, seconds, unless_known
from usage_platform.web.parameters import meter_of, source_of

_DECIMALS = 2
_SHOWN = (
    *("episode", "status", "outcome", "highest_kw", "peak_kw", "probability"),
    *("expected_kw", "expected_low_kw", "expected_high_kw", "cost", "currency"),
)
_Warning = Mapping[str, Any]


def forecast(request: Request) -> Response:
    """The forecast of a meter from its newest reading on."""
    source, meter = source_of(request), meter_of(request)
    try:
        made = source.forecasts.forecast(meter)
    except SettingsError as error:
        raise HTTPException(503, str(error)) from None
    warning = None
    if made.forecast is not None:
        warning = _recent(source.peak_warnings.newest(meter.name), made.forecast.made_at)
    version = f"{made.version}{'' if warning is None else warning['event_id']}"
    return unless_known(
        request, version, lambda: as_json(_content(made, warning)), "application/json"
    )


def _recent(warning: _Warning | None, made_at: int) -> _Warning | None:
    """A peak warning that has not ended more than a day before the forecast."""
    if warning is None or pd.Timestamp(warning["end"]).value < made_at - NS_A_DAY:
        return None
    return warning


def _shown(warning: _Warning | None) -> dict[str, object] | None:
    """The fields that the page shows; instants in seconds since 1970 UTC."""
    if warning is None:
        return None
    times = ((name, pd.Timestamp(warning[name]).value) for name in ("start", "expected_at"))
    return {
        **{name: warning.get(name) for name in _SHOWN},
        **{name: seconds(at) for name, at in times},
    }


def _content(made: MeterForecast, warning: _Warning | None) -> dict[str, object]:
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
            "peak_warning": _shown(warning),
        }
    }


ROUTES = (Route("/api/forecast", forecast),)
