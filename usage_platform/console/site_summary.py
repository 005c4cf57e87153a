"""The part of a demo's summary that only the generated site has.

Belongs here: findings beside their truth, bills of the last month, errors of the forecast. Not
here: counts, checks and injected faults (`demo_summary`), computing any of them.
"""

from datetime import timedelta

import pandas as pd

from usage_platform.adapters.lake.findings_table import known_findings
from usage_platform.console.screen import Screen, table
from usage_platform.core.evaluation.forecast_errors import errors_of_last_days
from usage_platform.core.evaluation.planted_findings import (
    PlantedVerdict,
    PlantedVerdicts,
    evaluate_planted,
    healthy_findings,
)
from usage_platform.core.forecast.day_ahead import HISTORY_DAYS
from usage_platform.core.generator.site import healthy_meters
from usage_platform.core.generator.site_plan import BUILDINGS, DAYS
from usage_platform.core.generator.site_truth import planted_findings
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.tariffs.bill import Bill
from usage_platform.core.tariffs.charges import ChargeKind
from usage_platform.core.tariffs.demand import WindowTooShortError
from usage_platform.services.month_bills import month_bills, readings_between
from usage_platform.settings.closing_days import chosen_calendar
from usage_platform.wiring.findings import findings_record
from usage_platform.wiring.platform import Platform

_FORECAST_DAYS = 7


def summarize_site(deployment: Platform, screen: Screen) -> None:
    """Print findings beside their truth, bills, and errors of the forecast.

    Args:
        deployment: The services; the findings are computed.
        screen: Where to print.

    Raises:
        LakeError: In one line, when the tables or the files of groups and tariffs cannot be read.
    """
    run = findings_record(deployment).read()
    assert run is not None  # noqa: S101 - the findings are computed
    as_of = pd.Timestamp(run.as_of)
    _print_findings(screen, _evaluated(deployment, as_of))
    _print_bills(deployment, screen, as_of)
    _print_forecasts(deployment, screen, as_of)


def _evaluated(deployment: Platform, as_of: pd.Timestamp) -> PlantedVerdicts:
    seed, calendar = deployment.settings.generated_seed, chosen_calendar(deployment.settings)
    healthy = healthy_findings(healthy_meters(seed, DAYS), calendar, as_of.value)
    findings = known_findings(deployment.reader)
    # What a meter has, its groups have as well.
    findings = findings.loc[~findings["meter"].isin(deployment.registry().groups)]
    return evaluate_planted(planted_findings(seed, DAYS), findings, healthy)


def _print_findings(screen: Screen, evaluated: PlantedVerdicts) -> None:
    numbers = ("truth", "found")
    rows = table("Planted findings, kWh a year", "finding", "meter", *numbers, "", numbers=numbers)
    for one in evaluated.verdicts:
        rows.add_row(
            one.planted.kind,
            one.planted.meter,
            _energy(one.planted.kwh, one.planted.kwh_per_year),
            _found_energy(one),
            "found" if one.is_found else "missed",
        )
    screen.console.print(rows, markup=False)
    screen.say(
        f"{evaluated.found} of {len(evaluated.verdicts)} planted findings found; "
        f"{evaluated.consequences} further findings come from the same faults, "
        f"{evaluated.false} from none (false)"
    )
    screen.say("")


def _found_energy(one: PlantedVerdict) -> str:
    return "" if one.kwh is None else _energy(one.kwh, one.kwh_per_year)


def _energy(kwh: float, kwh_per_year: float | None) -> str:
    if kwh_per_year is not None:
        return f"{kwh_per_year:,.0f}"
    return f"{kwh:,.0f} once" if kwh else "none"


def _print_bills(deployment: Platform, screen: Screen, as_of: pd.Timestamp) -> None:
    main = BUILDINGS[0].main
    this_month = as_of.tz_convert(main.zone).date().replace(day=1)
    month = Month((this_month - timedelta(days=1)).replace(day=1))
    numbers = ("kWh", "energy", "kW", "demand", "total", "gaps h")
    rows = table(f"Bills of {month.label}", "building", *numbers, numbers=numbers)
    for building in BUILDINGS:
        rows.add_row(*_bill_cells(deployment, building.main, month, as_of))
    screen.console.print(rows, markup=False)


def _bill_cells(
    deployment: Platform, meter: Meter, month: Month, as_of: pd.Timestamp
) -> tuple[str, ...]:
    tariff = deployment.tariff_book().money(meter.name)
    if tariff is None:
        return meter.name, *[""] * 4, "no tariff"
    try:
        bill = month_bills(deployment.reader, meter, month, tariff, as_of).bill
    except WindowTooShortError:
        return meter.name, *[""] * 4, "readings are longer than a window of its demand charge"
    amounts = (_amount(bill, ChargeKind.ENERGY), _amount(bill, ChargeKind.DEMAND))
    return (
        meter.name,
        f"{_quantity(bill, ChargeKind.ENERGY):,.0f}",
        amounts[0],
        f"{_quantity(bill, ChargeKind.DEMAND):,.1f}",
        amounts[1],
        f"{bill.total:,} {bill.unit}",
        f"{bill.coverage.missing_hours:,.1f}",
    )


def _amount(bill: Bill, kind: ChargeKind) -> str:
    return f"{sum(line.amount for line in bill.lines if line.kind is kind):,.0f}"


def _quantity(bill: Bill, kind: ChargeKind) -> float:
    """All energy, or the highest demand."""
    found = [float(line.quantity) for line in bill.lines if line.kind is kind]
    return max(found, default=0.0) if kind is ChargeKind.DEMAND else sum(found)


def _print_forecasts(deployment: Platform, screen: Screen, as_of: pd.Timestamp) -> None:
    calendar = chosen_calendar(deployment.settings)
    title = f"Day-ahead forecasts of the last {_FORECAST_DAYS} days, mean absolute error"
    methods = ("forecast", "previous week")
    rows = table(title, "building", *methods, "mean load", numbers=(*methods, "mean load"))
    since = as_of - pd.Timedelta(days=HISTORY_DAYS + _FORECAST_DAYS + 1)
    for building in BUILDINGS:
        meter = building.main
        series = readings_between(deployment.reader, meter, since, as_of)
        errors = errors_of_last_days(series, meter, calendar, _FORECAST_DAYS)
        if errors is None:
            rows.add_row(meter.name, *["too little history"] * 2, "")
            continue
        cells = [f"{errors[one].mae:,.1f} kW ({errors[one].wape:.1%})" for one in methods]
        mean = errors[methods[0]].mae / errors[methods[0]].wape
        rows.add_row(meter.name, *cells, f"{mean:,.1f} kW")
    screen.console.print(rows, markup=False)
