"""The bill of a meter for a month, line by line.

Belongs here: which lines there are, proration, taxes, rounding. Not here: energy (`pricing`),
demand (`demand`), showing it (`console`).

Rounding: each line is rounded once, as on invoices; a tax is a percentage of rounded lines; the
total is the sum of the rounded lines. Where a tariff changes within the month, each version has
lines of its own: its energy at its prices, standing and demand charges by its share of the days.
The demand is that of the whole month.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import pandas as pd

from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.tariffs.charges import ChargeKind, DemandCharge
from usage_platform.core.tariffs.coverage import Coverage, completed, coverage_of
from usage_platform.core.tariffs.demand import (
    BilledDemand,
    SetBy,
    billed_demand,
    check_windows,
    days_charged,
    earlier_months,
    months_before,
    windows_of,
)
from usage_platform.core.tariffs.money import kwh_of, rounded
from usage_platform.core.tariffs.pieces import Pieces, pieces_of
from usage_platform.core.tariffs.pricing import priced_energy
from usage_platform.core.tariffs.tariff import Tariff, TariffVersion

_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Line:
    """A line of a bill.

    Attributes:
        kind: What is charged.
        name: Its name in the tariff; with the first day of the version where there are several.
        quantity: How much of it: kWh, kW, days, months, or the sum that is taxed.
        quantity_unit: Its unit; that of the tariff for a tax.
        price: Price of one; the percentage of a tax.
        exact: The amount before rounding.
        amount: The rounded amount; negative for a credit.
        version: First day of the version of the tariff.
        share: The share of the month's days for which a demand is charged; 1 for other lines.
        set_at: The start of the window that has set a demand, UTC; None for other lines.
        set_by: What has set a demand; None for other lines.
    """

    kind: ChargeKind
    name: str
    quantity: Fraction
    quantity_unit: str
    price: Decimal
    exact: Fraction
    amount: Decimal
    version: date
    share: Fraction = Fraction(1)
    set_at: pd.Timestamp | None = None
    set_by: SetBy | None = None


@dataclass(frozen=True)
class Bill:
    """A bill.

    Attributes:
        meter: Name of the meter.
        month: The local month, such as 2024-05.
        tariff: Name of the tariff.
        unit: Its currency, or gCO2.
        lines: Its lines: energy, export, standing, demand, taxes.
        total: The sum of the lines.
        is_over: Whether the month is over; if not, standing charges count the days begun, and
            demand what has been reached.
        coverage: Which readings are there.
        notes: What else a reader must know, a sentence each.
    """

    meter: str
    month: str
    tariff: str
    unit: str
    lines: tuple[Line, ...]
    total: Decimal
    is_over: bool
    coverage: Coverage
    notes: tuple[str, ...]

    def exact(self, *kinds: ChargeKind) -> Fraction:
        """The sum of the lines of some kinds before rounding."""
        return sum((line.exact for line in self.lines if line.kind in kinds), Fraction(0))


@dataclass(frozen=True, eq=False)
class _Billing:
    """What all lines of a bill need."""

    tariff: Tariff
    meter: Meter
    month: Month
    pieces: Pieces
    charged_until: date

    @cached_property
    def own(self) -> Pieces:
        return self.pieces.of_month(self.month)

    @property
    def days(self) -> int:
        return self.month.last.day

    def versions(self) -> Iterator[tuple[TariffVersion, date, date]]:
        """The versions of the month with their first and last day in it."""
        ends = [later.valid_from - _A_DAY for later in self.tariff.versions[1:]]
        for version, end in zip(self.tariff.versions, [*ends, self.month.last], strict=True):
            first, last = max(version.valid_from, self.month.first), min(end, self.month.last)
            if first <= last:
                yield version, first, last

    @cached_property
    def demands(self) -> list[tuple[TariffVersion, DemandCharge, Fraction, BilledDemand]]:
        """The demand charges with the share of the month's days and the billed demand."""
        found: list[tuple[TariffVersion, DemandCharge, Fraction, BilledDemand]] = []
        for version, first, last in self.versions():
            for charge in version.demand:
                share = Fraction(days_charged(charge, first, last), self.days)
                if share:
                    windows = windows_of(charge, self.own)
                    earlier = earlier_months(charge, self.pieces, self.meter, self.month)
                    found.append((version, charge, share, billed_demand(charge, windows, earlier)))
        return found


def readings_from(tariff: Tariff, meter: Meter, month: Month) -> pd.Timestamp:
    """The first instant, UTC, whose readings a bill of a month and its projection need."""
    before = months_before(month, max(tariff.longest_ratchet, 1))
    return before.bounds(meter)[0]


def bill_of_month(
    tariff: Tariff, meter: Meter, month: Month, series: Series, now: pd.Timestamp
) -> Bill:
    """The bill of a month; of one that is not over, the bill so far.

    Args:
        tariff: The meter's tariff.
        meter: The meter.
        month: The local month.
        series: Its readings from `readings_from` on.
        now: The current time, UTC.

    Raises:
        WindowTooShortError: In one line, where the readings cannot show a demand.
    """
    check_windows(tariff, meter)
    start, end = month.bounds(meter)
    today = now.tz_convert(meter.zone).date()
    charged_until = min(today, month.last) if now >= start else month.first - _A_DAY
    pieces = pieces_of(series.until(end.value), meter, tariff)
    billing = _Billing(tariff, meter, month, pieces, charged_until)
    lines = [*_energy(billing), *_standing(billing), *_demand(billing)]
    lines += _taxes(lines, billing)
    return Bill(
        meter.name,
        month.label,
        tariff.name,
        tariff.unit,
        tuple(lines),
        sum((line.amount for line in lines), Decimal(0).scaleb(-tariff.decimals)),
        now >= end,
        coverage_of(series, meter, month, now),
        tuple(_notes(billing)),
    )


def projected_bill(tariff: Tariff, meter: Meter, month: Month, series: Series) -> Bill | None:
    """The bill of a whole month with estimates (`coverage.completed`) where readings are missing.

    Estimates are means and flatter than days are, so a demand to come is rather too low.

    Args:
        tariff: The meter's tariff.
        meter: The meter.
        month: The local month.
        series: Its readings from `readings_from` on.

    Returns:
        None where there is no reading to estimate from.
    """
    whole = completed(series, meter, month)
    if whole is None:
        return None
    return bill_of_month(tariff, meter, month, whole, month.bounds(meter)[1])


def _line(
    billing: _Billing,
    kind: ChargeKind,
    name: str,
    version: TariffVersion,
    exact: Fraction,
    quantity: tuple[Fraction, str, Decimal],
) -> Line:
    if len(list(billing.versions())) > 1:
        name = f"{name} (from {version.valid_from})"
    amount = rounded(exact, billing.tariff.decimals)
    return Line(kind, name, *quantity, exact, amount, version.valid_from)


def _energy(billing: _Billing) -> Iterator[Line]:
    for one in priced_energy(billing.tariff, billing.own):
        if one.total:
            kind = ChargeKind.EXPORT if one.is_export else ChargeKind.ENERGY
            quantity = (kwh_of(one.total), "kWh", one.price)
            yield _line(billing, kind, one.name, one.version, one.cost, quantity)


def _standing(billing: _Billing) -> Iterator[Line]:
    for version, first, last in billing.versions():
        days = max((min(last, billing.charged_until) - first).days + 1, 0)
        for charge in version.standing:
            is_daily = charge.per == "day"
            quantity = Fraction(days) if is_daily else Fraction(days, billing.days)
            exact = Fraction(charge.price) * quantity
            shown = (quantity, "days" if is_daily else "months", charge.price)
            yield _line(billing, ChargeKind.STANDING, charge.name, version, exact, shown)


def _demand(billing: _Billing) -> Iterator[Line]:
    for version, charge, share, found in billing.demands:
        exact = found.kw * Fraction(charge.price) * share
        quantity = (found.kw, "kW", charge.price)
        line = _line(billing, ChargeKind.DEMAND, charge.name, version, exact, quantity)
        yield replace(line, share=share, set_at=found.at, set_by=found.set_by)


def _taxes(lines: list[Line], billing: _Billing) -> list[Line]:
    taxes: list[Line] = []
    for version, _, _ in billing.versions():
        for tax in version.taxes:
            taxed = (
                line.amount
                for line in lines
                if line.version == version.valid_from and line.kind.value in tax.on
            )
            base = Fraction(sum(taxed, Decimal(0)))
            exact = base * Fraction(tax.percent) / 100
            quantity = (base, billing.tariff.unit, tax.percent)
            taxes.append(_line(billing, ChargeKind.TAX, tax.name, version, exact, quantity))
    return taxes


def _notes(billing: _Billing) -> Iterator[str]:
    first = billing.tariff.versions[0].valid_from
    if first > billing.month.first:
        yield f"the tariff is valid from {first}: earlier energy of the month is not billed"
    exports = int(billing.own.exported.sum())
    if exports and not all(version.export for version, _, _ in billing.versions()):
        shown = rounded(kwh_of(exports), 3)
        yield f"{shown} kWh were exported, and the tariff has no price for export"
    for _, charge, _, found in billing.demands:
        if found.incomplete:
            yield (
                f"demand {charge.name}: windows that lack readings and do not count: "
                f"{found.incomplete}"
            )
        if found.missing:
            months = ", ".join(found.missing)
            yield f"demand {charge.name}: its ratchet counts {months}, which lack readings"
