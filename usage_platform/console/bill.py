"""`usage-platform bill`: a meter's bill of a month, for people or as JSON.

Belongs here: the screen and its JSON. Not here: what is charged (`core.tariffs`).
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import pandas as pd
from rich.markup import escape
from rich.table import Table

from usage_platform.console.screen import Screen, table
from usage_platform.core.load.month import Month
from usage_platform.core.meters import Meter
from usage_platform.core.readings.gaps import Gap
from usage_platform.core.tariffs.bill import Bill, Line
from usage_platform.core.tariffs.charges import ChargeKind
from usage_platform.core.tariffs.demand import SetBy, WindowTooShortError
from usage_platform.core.tariffs.field_types import CARBON
from usage_platform.core.tariffs.tariff import Tariff
from usage_platform.services.month_bills import MonthBills, month_bills
from usage_platform.settings.settings import SettingsError
from usage_platform.wiring.platform import Platform

_SHOWN_GAPS = 5
_GRAMS_A_KG = 1000
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_SET_BY = {
    SetBy.PEAK: "",
    SetBy.RATCHET: " by the ratchet",
    SetBy.MINIMUM: "the minimum",
}


def print_bill(
    deployment: Platform, month: str | None, as_json: bool, now: pd.Timestamp, screen: Screen
) -> None:
    """Print the default meter's bill of a month.

    Args:
        deployment: The services.
        month: Such as 2024-05; None for the current one.
        as_json: Print one JSON object in place of a table.
        now: The current time, UTC.
        screen: Where to print.

    Raises:
        SettingsError: In one line, for a month that is none, a meter without a tariff, without
            readings in the month, or with too long intervals for a demand.
        LakeError: In one line, when the tariff file or the readings cannot be read.
    """
    meter = deployment.registry().get(deployment.settings.meter)
    chosen = _month(month, meter, now)
    bills = [_bills(deployment, meter, chosen, one, now) for one in _tariffs(deployment, meter)]
    if as_json:
        print(json.dumps(_as_json(bills, meter), indent=1))
        return
    for one in bills:
        _print(one, meter, screen)


def _month(text: str | None, meter: Meter, now: pd.Timestamp) -> Month:
    if text is None:
        return Month(now.tz_convert(meter.zone).date().replace(day=1))
    found = _MONTH.fullmatch(text)
    if not found or not 1 <= int(found[2]) <= 12 or not 1971 <= int(found[1]) <= 2100:
        raise SettingsError(f"bill: expected a month such as 2024-05, got {text!r}")
    return Month(date(int(found[1]), int(found[2]), 1))


def _tariffs(deployment: Platform, meter: Meter) -> list[Tariff]:
    """The meter's tariff in a currency, and the one in CO2 where there is one."""
    if not meter.is_power:
        raise SettingsError(
            f"bill: {meter.name} is read in {meter.unit}, and tariffs price kWh; describe it with "
            "a factor (kWh of one m3 or l) in assets/meters.yaml, or choose another meter"
        )
    book = deployment.tariff_book()
    money, carbon = book.money(meter.name), book.carbon(meter.name)
    found = [tariff for tariff in (money, carbon) if tariff is not None]
    if not found:
        raise SettingsError(
            f"bill: no tariff is for {meter.name}; expected one in {deployment.tariffs.file} "
            "(docs/tariffs.md)"
        )
    return found


def _bills(
    deployment: Platform, meter: Meter, month: Month, tariff: Tariff, now: pd.Timestamp
) -> MonthBills:
    try:
        found = month_bills(deployment.reader, meter, month, tariff, now)
    except WindowTooShortError as error:
        raise SettingsError(f"{deployment.tariffs.file}: {error}") from None
    if not found.bill.coverage.present:
        raise SettingsError(
            f"bill: {meter.name} has no readings in {month.label}; choose another month or meter"
        )
    return found


def _print(bills: MonthBills, meter: Meter, screen: Screen) -> None:
    bill = bills.bill
    screen.console.print(_lines(bill, meter))
    for line in _remarks(bills, meter):
        screen.say(line)
    screen.say("")


def _lines(bill: Bill, meter: Meter) -> Table:
    so_far = "" if bill.is_over else ", so far"
    numbers = ("quantity", "price", "amount")
    title = f"{bill.meter}, {bill.month}{so_far}, tariff {bill.tariff} in {bill.unit}"
    rows = table(escape(title), "line", *numbers, "set", numbers=numbers)
    for line in bill.lines:
        quantity = f"{_decimal(line.quantity)} {line.quantity_unit}"
        price = f"{line.price} %" if line.kind is ChargeKind.TAX else f"{line.price}"
        rows.add_row(escape(line.name), quantity, price, f"{line.amount:,}", _set(line, meter))
    rows.add_section()
    rows.add_row("total", "", "", f"{bill.total:,}", "")
    return rows


def _set(line: Line, meter: Meter) -> str:
    """What has set a demand."""
    if line.set_by is None:
        return ""
    if line.set_at is None:
        return _SET_BY[line.set_by]
    return f"{_local(line.set_at, meter)}{_SET_BY[line.set_by]}"


def _remarks(bills: MonthBills, meter: Meter) -> Iterator[str]:
    bill, projected = bills.bill, bills.projected
    if bill.unit == CARBON:
        yield f"{bill.total / _GRAMS_A_KG:,.3f} kg CO2"
    coverage = bill.coverage
    if coverage.gaps:
        shown = "; ".join(_gap(gap, meter) for gap in coverage.gaps[:_SHOWN_GAPS])
        more = len(coverage.gaps) - _SHOWN_GAPS
        rest = f"; and {more} more" if more > 0 else ""
        yield f"missing: {coverage.missing_hours:,.2f} hours without readings: {shown}{rest}"
    for note in bill.notes:
        yield f"note: {note}"
    if projected is not None:
        yield (
            f"projection of the whole month, missing readings estimated: {projected.total:,} "
            f"{projected.unit}"
        )


def _gap(gap: Gap, meter: Meter) -> str:
    start, end = (pd.Timestamp(at, tz="UTC") for at in (gap.start, gap.end))
    return f"{_local(start, meter)} to {_local(end, meter)}"


def _local(at: pd.Timestamp, meter: Meter) -> str:
    """A local time; with its offset, which tells the two autumn hours apart."""
    return at.tz_convert(meter.zone).strftime("%Y-%m-%d %H:%M%z")


def _decimal(quantity: Fraction) -> str:
    return f"{float(quantity):,.3f}"


def _as_json(bills: list[MonthBills], meter: Meter) -> dict[str, object]:
    first = bills[0].bill
    return {
        "meter": first.meter,
        "month": first.month,
        "timezone": meter.timezone,
        "is_over": first.is_over,
        "expected_readings": first.coverage.expected,
        "readings": first.coverage.present,
        "missing_hours": first.coverage.missing_hours,
        "gaps": [
            {"start": _iso(gap.start, meter), "end": _iso(gap.end, meter)}
            for gap in first.coverage.gaps
        ],
        "bills": [_bill_as_json(one, meter) for one in bills],
    }


def _bill_as_json(bills: MonthBills, meter: Meter) -> dict[str, object]:
    bill, projected = bills.bill, bills.projected
    return {
        "tariff": bill.tariff,
        "unit": bill.unit,
        "total": str(bill.total),
        "projected_total": None if projected is None else str(projected.total),
        "lines": [_line_as_json(line, meter) for line in bill.lines],
        "notes": list(bill.notes),
    }


def _line_as_json(line: Line, meter: Meter) -> dict[str, object]:
    return {
        "kind": line.kind.value,
        "name": line.name,
        "quantity": float(line.quantity),
        "quantity_unit": line.quantity_unit,
        "price": str(line.price),
        "share_of_month": float(line.share),
        "amount": str(line.amount),
        "set_at": None if line.set_at is None else _iso(line.set_at.value, meter),
        "set_by": None if line.set_by is None else line.set_by.value,
    }


def _iso(instant: int, meter: Meter) -> str:
    return pd.Timestamp(instant, tz="UTC").tz_convert(meter.zone).isoformat()
