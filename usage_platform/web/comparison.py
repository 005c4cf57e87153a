"""A meter's week over the weeks before, and its year over the year before.

Belongs here: `/api/weeks` and `/api/years`. Not here: what is compared (`core.load.weeks`,
`core.load.years`).
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.load.weeks import WEEKS_BEFORE, WeeksComparison, compare_weeks
from usage_platform.core.load.years import YearComparison
from usage_platform.core.time.day_numbers import day_of
from usage_platform.services.page_data import Year
from usage_platform.services.year_comparison import year_comparison
from usage_platform.web.answers import as_json, rounded, unless_known, unless_same
from usage_platform.web.parameters import known_year, meter_of, number_of, source_of, year_of

_JSON = "application/json"


def weeks(request: Request) -> Response:
    """The newest week of the meter's year over the 4 or 8 weeks before it (`before`)."""
    before = number_of(
        request.query_params.get("before") or str(WEEKS_BEFORE[0]),
        "before",
        min(WEEKS_BEFORE),
        max(WEEKS_BEFORE),
    )
    if before not in WEEKS_BEFORE:
        raise HTTPException(400, f"before: expected one of {WEEKS_BEFORE}, got {before}")
    year = _with_weeks_before(request, year_of(request))
    return unless_known(
        request,
        f"{year.version}-{before}",
        lambda: as_json({"weeks": _weeks(compare_weeks(year.power, before))}),
        _JSON,
    )


def _with_weeks_before(request: Request, year: Year) -> Year:
    """The last twelve months instead of the lake's newest year: they hold the weeks before it."""
    if not request.query_params.get("year") or not len(year.power):
        return year
    recent = source_of(request).years.year(meter_of(request), None)
    return recent if recent.last.year == year.last.year else year


def _weeks(found: WeeksComparison | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "step_minutes": found.step_minutes,
        **{name: rounded(getattr(found, name)) for name in ("power", "low", "high", "usual")},
        "usual_kwh": found.usual_kwh,
        "weeks": [{**vars(one), "monday": day_of(one.monday)} for one in found.weeks],
    }


def years(request: Request) -> Response:
    """The meter's `year`, by default the newest one, over the days 52 weeks before."""
    text = request.query_params.get("year")
    year = None if not text else known_year(text)
    found = year_comparison(source_of(request).reader, meter_of(request), year)
    return unless_same(request, {"years": _years(found)})


def _years(found: YearComparison | None) -> dict[str, object] | None:
    if found is None:
        return None
    mondays, this, before = found.by_week()
    return {
        "first_day": day_of(found.first_day),
        "days": {"kwh": rounded(found.energy_kwh), "before_kwh": rounded(found.before_kwh)},
        "weeks": {
            "mondays": [day_of(int(day)) for day in mondays],
            "kwh": rounded(this),
            "before_kwh": rounded(before),
        },
        "compared_days": int(found.is_compared.sum()),
        "compared_kwh": found.compared_kwh,
        "compared_before_kwh": found.compared_before_kwh,
        "difference_kwh": found.difference_kwh,
    }


ROUTES = (Route("/api/weeks", weeks), Route("/api/years", years))
