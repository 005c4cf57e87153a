"""All meters side by side, a page of rows at a time; the groups; the map of energy and deviation.

Belongs here: `/api/fleet`, `/api/fleet/group` and `/api/fleet/map`. Not here: the rows
(`services.fleet`), which of them are shown (`core.fleet.shown_rows`).
"""

import math
from heapq import nlargest

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from usage_platform.core.fleet.group_row import GroupRow
from usage_platform.core.fleet.groups import Group
from usage_platform.core.fleet.meter_row import Energy, MeterRow
from usage_platform.core.fleet.shown_rows import (
    Choice,
    Column,
    Filter,
    counts,
    default_column,
    shown_rows,
)
from usage_platform.services.fleet import Fleet
from usage_platform.web.answers import as_json, seconds, unless_known
from usage_platform.web.parameters import number_of, one_of, source_of

MOST_TILES = 60
"""Meters of the map; more would be too small to see and to point at."""

LONGEST_SEARCH = 200

_JSON = "application/json"


def fleet(request: Request) -> Response:
    """A page of meters: `search`, `show`, `sort`, `order` and `page`; the groups with it."""
    found = source_of(request).fleet.fleet()
    choice = _choice(request, default_column(found.meters))
    return unless_known(request, found.version, lambda: as_json(_page(found, choice)), _JSON)


def group(request: Request) -> Response:
    """The meters of the group `name`."""
    found = source_of(request).fleet.fleet()
    names = set(known_group(request).meters)
    rows = [row for row in found.meters if row.name in names]
    return unless_known(
        request, found.version, lambda: as_json({"rows": [_meter(row) for row in rows]}), _JSON
    )


def known_group(request: Request) -> Group:
    """The group `name`.

    Raises:
        HTTPException: If there is none.
    """
    name = request.query_params.get("name", "")
    groups = source_of(request).fleet.fleet().groups
    chosen = next((row.group for row in groups if row.group.name == name), None)
    if chosen is None:
        raise HTTPException(404, f"no group {name[:LONGEST_SEARCH]!r}")
    return chosen


def energy_map(request: Request) -> Response:
    """The meters with most energy in 7 days, each with its deviation; the others as one."""
    found = source_of(request).fleet.fleet()
    return unless_known(request, found.version, lambda: as_json(_tiles(found)), _JSON)


def _choice(request: Request, otherwise: Column) -> Choice:
    given = request.query_params
    order = given.get("order", "desc")
    if order not in ("asc", "desc"):
        raise HTTPException(400, f"order: expected asc or desc, got {order[:40]!r}")
    search = given.get("search", "")
    if len(search) > LONGEST_SEARCH:
        raise HTTPException(400, f"search: expected at most {LONGEST_SEARCH} characters")
    return Choice(
        search=search,
        kept=one_of(Filter, "show", given.get("show", Filter.ALL)),
        column=one_of(Column, "sort", given.get("sort") or otherwise),
        is_descending=order == "desc",
        page=number_of(given.get("page", "1"), "page", 1, 10**6),
    )


def _page(found: Fleet, choice: Choice) -> dict[str, object]:
    shown = shown_rows(found.meters, choice)
    return {
        "version": found.version,
        "as_of": seconds(found.as_of),
        "newest": seconds(found.newest),
        "counts": counts(found.meters),
        "sort": choice.column,
        "has_costs": any(row.cost.currency is not None for row in found.meters),
        "matched": shown.matched,
        "page": shown.page,
        "pages": shown.pages,
        "rows": [_meter(row) for row in shown.rows],
        "groups": [_group(row) for row in found.groups],
        "groups_error": found.groups_error,
    }


def _meter(row: MeterRow) -> dict[str, object]:
    return {
        "name": row.name,
        "unit": row.unit,
        "week": _energy(row.week),
        "month": _energy(row.month),
        "has_model": row.has_model,
        "episodes": row.open_episodes,
        "excess_kwh": _short(row.open_excess_kwh),
        "completeness": row.completeness,
        "newest": seconds(row.newest),
        "is_silent": row.is_silent,
        "kwh_per_m2": _short(row.kwh_per_m2),
        "line": [_short(kw, 3) for kw in row.line.tolist()],
        "cost": _cost(row),
    }


def _cost(row: MeterRow) -> dict[str, object] | None:
    """What a meter costs; None where no tariff is for it."""
    cost, stake = row.cost, row.stake
    if cost.currency is None:
        return None
    return {
        "currency": cost.currency,
        "month": _short(cost.month),
        "month_hours": cost.month_hours,
        "at_stake": _short(stake.amount),
        "is_estimate": stake.is_estimate,
    }


def _energy(energy: Energy) -> dict[str, float | None]:
    return {
        "kwh": _short(energy.kwh),
        "expected": _short(energy.expected_kwh),
        "deviation": _short(energy.deviation_kwh),
        "share": _short(energy.deviation_share),
    }


def _group(row: GroupRow) -> dict[str, object]:
    group = row.group
    return {
        "name": group.name,
        "kind": group.kind,
        "use": group.use,
        "parent": group.parent,
        "area_m2": group.area_m2,
        "meters": len(group.meters),
        "is_meter": row.is_meter,
        "week": {**vars(row.week), "mean_kw": row.week.mean_kw},
        "month": {**vars(row.month), "mean_kw": row.month.mean_kw},
        "kwh_per_m2": row.kwh_per_m2,
    }


def _tiles(found: Fleet) -> dict[str, object]:
    used = [row for row in found.meters if row.week.kwh > 0]
    largest = nlargest(MOST_TILES, used, key=lambda row: row.week.kwh)
    others = math.fsum(row.week.kwh for row in used) - math.fsum(row.week.kwh for row in largest)
    return {
        "tiles": [_tile(row) for row in largest],
        "others": {"meters": len(used) - len(largest), "kwh": _short(others)},
    }


def _tile(row: MeterRow) -> dict[str, object]:
    share = _short(row.week.deviation_share)
    return {"name": row.name, "kwh": _short(row.week.kwh), "share": share}


def _short(value: float, digits: int = 6) -> float | None:
    """A number with few digits: the text is shorter; None for NaN."""
    return None if math.isnan(value) else float(f"{value:.{digits}g}")


ROUTES = (
    Route("/api/fleet", fleet),
    Route("/api/fleet/group", group),
    Route("/api/fleet/map", energy_map),
)
