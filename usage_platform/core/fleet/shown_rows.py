"""Which meters of the fleet are shown: searched, filtered, sorted, a page at a time.

Belongs here: the choice among the rows. Not here: the rows (`meter_row`), requests (`web`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

from usage_platform.core.fleet.meter_row import MeterRow

PAGE_ROWS = 50


class Filter(StrEnum):
    """Which meters are shown."""

    ALL = "all"
    OPEN = "open"
    SILENT = "silent"
    INCOMPLETE = "incomplete"


class Column(StrEnum):
    """By what the rows are sorted."""

    RANK = "rank"
    NAME = "name"
    WEEK_KWH = "week_kwh"
    WEEK_EXPECTED = "week_expected"
    WEEK_DEVIATION = "week_deviation"
    WEEK_SHARE = "week_share"
    MONTH_KWH = "month_kwh"
    MONTH_EXPECTED = "month_expected"
    MONTH_DEVIATION = "month_deviation"
    MONTH_SHARE = "month_share"
    AT_STAKE = "at_stake"
    MONTH_COST = "month_cost"
    EPISODES = "episodes"
    EXCESS = "excess"
    COMPLETENESS = "completeness"
    NEWEST = "newest"
    KWH_PER_M2 = "kwh_per_m2"


_Key = Callable[[MeterRow], float]
_NUMBERS: dict[Column, _Key] = {
    Column.RANK: lambda row: row.rank,
    Column.WEEK_KWH: lambda row: row.week.kwh,
    Column.WEEK_EXPECTED: lambda row: row.week.expected_kwh,
    Column.WEEK_DEVIATION: lambda row: row.week.deviation_kwh,
    Column.WEEK_SHARE: lambda row: row.week.deviation_share,
    Column.MONTH_KWH: lambda row: row.month.kwh,
    Column.MONTH_EXPECTED: lambda row: row.month.expected_kwh,
    Column.MONTH_DEVIATION: lambda row: row.month.deviation_kwh,
    Column.MONTH_SHARE: lambda row: row.month.deviation_share,
    Column.AT_STAKE: lambda row: row.stake.amount,
    Column.MONTH_COST: lambda row: row.cost.month,
    Column.EPISODES: lambda row: row.open_episodes,
    Column.EXCESS: lambda row: row.open_excess_kwh if row.open_episodes else math.nan,
    Column.COMPLETENESS: lambda row: row.completeness,
    Column.NEWEST: lambda row: math.nan if row.newest is None else row.newest,
    Column.KWH_PER_M2: lambda row: row.kwh_per_m2,
}
_IN_CURRENCIES = (Column.AT_STAKE, Column.MONTH_COST)
_KEPT: dict[Filter, Callable[[MeterRow], bool]] = {
    Filter.ALL: lambda row: True,
    Filter.OPEN: lambda row: row.open_episodes > 0,
    Filter.SILENT: lambda row: row.is_silent,
    Filter.INCOMPLETE: lambda row: row.is_incomplete,
}


@dataclass(frozen=True)
class Choice:
    """What a user has chosen.

    Attributes:
        search: Text that the names contain, whatever its case; several words each.
        kept: Which meters.
        column: By what they are sorted; meters of the same value by name. Costs are sorted within
            their currency.
        is_descending: Whether the largest come first; unknown values always come last.
        page: Which page, from 1.
    """

    search: str = ""
    kept: Filter = Filter.ALL
    column: Column = Column.RANK
    is_descending: bool = True
    page: int = 1


@dataclass(frozen=True, eq=False)
class Shown:
    """What is shown of the fleet.

    Attributes:
        rows: The rows of the page.
        matched: The rows of all pages.
        page: Which page; the last one if fewer are left than were asked for.
        pages: Number of pages, at least 1.
    """

    rows: Sequence[MeterRow]
    matched: int
    page: int
    pages: int


def shown_rows(rows: Sequence[MeterRow], choice: Choice) -> Shown:
    """The rows of a page.

    Args:
        rows: All rows, by name.
        choice: What the user has chosen.
    """
    words = choice.search.casefold().split()
    keeps = _KEPT[choice.kept]
    found = [
        row for row in rows if keeps(row) and all(word in row.name.casefold() for word in words)
    ]
    ordered = _sorted(found, choice.column, choice.is_descending)
    pages = max(1, -(-len(ordered) // PAGE_ROWS))
    page = min(max(choice.page, 1), pages)
    return Shown(ordered[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], len(ordered), page, pages)


def counts(rows: Sequence[MeterRow]) -> dict[str, int]:
    """How many meters each filter keeps."""
    return {kept.value: sum(map(keeps, rows)) for kept, keeps in _KEPT.items()}


def default_column(rows: Sequence[MeterRow]) -> Column:
    """By what the rows are sorted unless a user has chosen: cost at stake, where there is any."""
    has_cost = any(not math.isnan(row.stake.amount) for row in rows)
    return Column.AT_STAKE if has_cost else Column.RANK


def _sorted(rows: Sequence[MeterRow], column: Column, is_descending: bool) -> list[MeterRow]:
    """Stable: rows of the same value stay by name; those of the same cost at stake by rank."""
    if column is Column.NAME:
        return list(rows)[::-1] if is_descending else list(rows)
    if column is Column.AT_STAKE:
        rows = sorted(rows, key=lambda row: row.rank, reverse=True)
    key = _NUMBERS[column]
    keyed = [(key(row), row) for row in rows]
    known = [one for one in keyed if not math.isnan(one[0])]
    unknown = [row for value, row in keyed if math.isnan(value)]
    known.sort(key=itemgetter(0), reverse=is_descending)
    if column in _IN_CURRENCIES:
        # Amounts of different currencies cannot be compared: currency by currency, by its name.
        known.sort(key=lambda one: one[1].cost.currency or "")
    return [row for _, row in known] + unknown
