"""The content of the weekly mail: the week's energy against the expected one, episodes, cost.

Belongs here: the figures and their words as plain text. Not here: reading them (`services`), the
picture (`adapters.drawing`), HTML (`weekly_html`).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from usage_platform.core.arrays import Floats

MOST_ROWS = 20
"""Meters and groups that the mail lists, each; it says how many more there are."""


@dataclass(frozen=True)
class WeekRow:
    """A meter or a group in the week.

    Attributes:
        name: Its name.
        kwh: Its energy; NaN without readings, or without an hour that counts.
        deviation_kwh: Energy above the expected energy of the same hours; NaN where nothing is
            expected.
        expected_kwh: The expected energy of these hours; NaN as before.
        open_episodes: Episodes that nobody has acknowledged or labelled; None for a group.
    """

    name: str
    kwh: float
    deviation_kwh: float
    expected_kwh: float
    open_episodes: int | None = None


@dataclass(frozen=True)
class Cost:
    """What episodes cost.

    Attributes:
        amount: The sum.
        unit: The currency.
    """

    amount: Decimal
    unit: str


@dataclass(frozen=True, eq=False)
class WeekSummary:
    """The week of all meters.

    Attributes:
        start: Start of the seven days, local.
        end: Their end, local.
        meters: The meters, what an analyst should look at first.
        more_meters: How many others there are.
        groups: The groups.
        more_groups: How many others there are.
        hourly_kw: Shape (168,): mean power of all meters together in each hour; NaN where a meter
            has no reading.
        new_episodes: Episodes that began in the week.
        open_episodes: Episodes of the week that nobody has acknowledged or labelled.
        costs: What the week's episodes cost, a sum a currency.
        priced: The number of episodes in these sums.
        unpriced: The number of those without a known cost.
    """

    start: datetime
    end: datetime
    meters: Sequence[WeekRow]
    more_meters: int
    groups: Sequence[WeekRow]
    more_groups: int
    hourly_kw: Floats
    new_episodes: int
    open_episodes: int
    costs: Sequence[Cost]
    priced: int
    unpriced: int


def subject(summary: WeekSummary) -> str:
    """The mail's subject."""
    return (
        f"Electricity until {summary.end:%a} {summary.end.day} {summary.end:%b}: "
        f"{summary.new_episodes:,} new episodes, {summary.open_episodes:,} open"
    )


def lines(summary: WeekSummary) -> Iterator[str]:
    """The sentences of the mail, above its tables."""
    yield f"{_time(summary.start)} to {_time(summary.end)}."
    yield (
        f"Episodes: {summary.new_episodes:,} new, {summary.open_episodes:,} open (nobody has "
        "acknowledged or labelled them)."
    )
    costs = " and ".join(f"{one.amount:,} {one.unit}" for one in summary.costs)
    if costs:
        rest = f"; {summary.unpriced:,} more without a known cost" if summary.unpriced else ""
        yield f"Cost of {summary.priced:,} of the week's episodes: {costs}{rest}."


def tables(summary: WeekSummary) -> Iterator[tuple[str, Sequence[str], list[Sequence[str]], str]]:
    """The mail's tables: title, heads, rows, and a remark, which may be empty."""
    if summary.groups:
        rows = [_cells(row)[:4] for row in summary.groups]
        yield "Groups", _HEADS[:4], rows, _more(summary.more_groups)
    rows = [_cells(row) for row in summary.meters]
    yield "Meters", _HEADS, rows, _more(summary.more_meters)


def text(summary: WeekSummary) -> str:
    """The mail as plain text."""
    parts = [*lines(summary)]
    for title, heads, rows, remark in tables(summary):
        parts += ["", title]
        widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
        for cells in (heads, *rows):
            first, *numbers = (
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
            )
            parts.append("  ".join((first, *numbers)).rstrip())
        parts += [remark] if remark else []
    return "\n".join(parts)


_HEADS = ("", "kWh", "expected", "deviation", "open episodes")


def _cells(row: WeekRow) -> Sequence[str]:
    share = row.deviation_kwh / row.expected_kwh if row.expected_kwh > 0 else math.nan
    shown = "" if math.isnan(share) else f" ({share:+.0%})"
    deviation = "-" if math.isnan(row.deviation_kwh) else f"{row.deviation_kwh:+,.0f}{shown}"
    return row.name, _kwh(row.kwh), _kwh(row.expected_kwh), deviation, f"{row.open_episodes or 0:,}"


def _kwh(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:,.0f}"


def _more(count: int) -> str:
    return f"{count:,} more are on the page." if count else ""


def _time(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"
