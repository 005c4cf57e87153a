"""The rows that are shown, against doing the same by hand."""

import math

from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.fleet.meter_cost import NO_COST, MeterCost, Stake
from usage_platform.core.fleet.meter_row import NO_LINE, Energy, MeterRow
from usage_platform.core.fleet.shown_rows import (
    PAGE_ROWS,
    Choice,
    Column,
    Filter,
    counts,
    default_column,
    shown_rows,
)

NUMBERS = st.sampled_from([math.nan, -3.0, 0.0, 1.0, 2.0, 250.0])
ENERGY = st.builds(Energy, NUMBERS, NUMBERS, NUMBERS)
COST = st.just(NO_COST) | st.builds(
    MeterCost,
    currency=st.sampled_from(["EUR", "USD"]),
    month=NUMBERS,
    month_hours=st.integers(0, 720),
    mean_price=st.sampled_from([math.nan, 0.25]),
    episodes=st.builds(Stake, st.sampled_from([math.nan, 0.0, 2.0, 250.0]), st.booleans()),
)
ROW = st.builds(
    MeterRow,
    name=st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=3),
    week=ENERGY,
    month=ENERGY,
    has_model=st.booleans(),
    open_episodes=st.integers(0, 3),
    open_excess_kwh=NUMBERS,
    completeness=st.sampled_from([math.nan, 0.0, 0.5, 0.99, 1.0]),
    newest=st.none() | st.integers(0, 5),
    is_silent=st.booleans(),
    kwh_per_m2=NUMBERS,
    line=st.just(NO_LINE),
    cost=COST,
)
ROWS = st.lists(ROW, max_size=8, unique_by=lambda row: row.name).map(
    lambda rows: sorted(rows, key=lambda row: row.name)
)


def names(rows: list[MeterRow]) -> list[str]:
    return [row.name for row in rows]


@given(ROWS, st.sampled_from(Column), st.booleans())
def test_every_order_holds_all_rows(rows, column, is_descending):
    shown = shown_rows(rows, Choice(column=column, is_descending=is_descending)).rows
    assert sorted(names(shown)) == names(rows)


@given(ROWS)
def test_the_unknown_comes_last_whichever_way_it_is_sorted(rows):
    for is_descending in (True, False):
        shown = shown_rows(rows, Choice(column=Column.WEEK_KWH, is_descending=is_descending)).rows
        values = [row.week.kwh for row in shown]
        known = [value for value in values if not math.isnan(value)]
        assert known == sorted(known, reverse=is_descending)
        assert all(math.isnan(value) for value in values[len(known) :])


@given(ROWS)
def test_by_rank_the_largest_excess_comes_first_of_open_episodes_or_of_the_week(rows):
    shown = shown_rows(rows, Choice()).rows
    ranks = [row.rank for row in shown]
    assert ranks == sorted(ranks, reverse=True)
    for row in shown:
        sizes = [abs(row.open_excess_kwh), abs(row.week.deviation_kwh)]
        assert row.rank == max([0, *(size for size in sizes if not math.isnan(size))])


@given(ROWS, st.booleans())
def test_costs_are_sorted_within_their_currency_and_equal_ones_by_rank(rows, is_descending):
    shown = shown_rows(rows, Choice(column=Column.AT_STAKE, is_descending=is_descending)).rows
    known = [row for row in shown if not math.isnan(row.stake.amount)]
    assert list(shown[: len(known)]) == known
    sign = -1 if is_descending else 1
    order = [(row.cost.currency, sign * row.stake.amount, -row.rank) for row in known]
    assert order == sorted(order)
    ranks = [row.rank for row in shown[len(known) :]]
    assert ranks == sorted(ranks, reverse=True)


@given(ROWS)
def test_without_a_choice_the_order_is_by_cost_at_stake_where_one_is_known(rows):
    has_cost = any(not math.isnan(row.stake.amount) for row in rows)
    assert default_column(rows) is (Column.AT_STAKE if has_cost else Column.RANK)


@given(ROWS, st.sampled_from(Filter))
def test_a_filter_keeps_what_it_names_and_its_count_says_how_many(rows, kept):
    shown = shown_rows(rows, Choice(kept=kept))
    wanted = {
        Filter.ALL: rows,
        Filter.OPEN: [row for row in rows if row.open_episodes],
        Filter.SILENT: [row for row in rows if row.is_silent],
        Filter.INCOMPLETE: [row for row in rows if not row.completeness >= 0.98],
    }[kept]
    assert sorted(names(shown.rows)) == names(wanted)
    assert counts(rows)[kept] == shown.matched == len(wanted)


def row(name: str, kwh: float = 0.0) -> MeterRow:
    energy = Energy(kwh, kwh, kwh)
    return MeterRow(name, energy, energy, True, 0, 0.0, 1.0, 0, False, math.nan, NO_LINE)


def test_pages_follow_each_other_and_one_beyond_the_end_is_the_last():
    rows = [row(f"m{n:03}", n) for n in range(2 * PAGE_ROWS + 1)]
    choice = {"column": Column.WEEK_KWH, "is_descending": False}
    pages = [shown_rows(rows, Choice(page=n, **choice)) for n in (1, 2, 3)]
    assert [one for page in pages for one in names(page.rows)] == names(rows)
    assert [page.pages for page in pages] == [3, 3, 3]
    assert shown_rows(rows, Choice(page=99, **choice)).page == 3


def test_the_search_wants_every_word_in_any_case():
    rows = [row("Hall 1 north"), row("Hall 2 north"), row("STRASSE")]
    assert names(shown_rows(rows, Choice(search="NORTH hall 2")).rows) == ["Hall 2 north"]
    assert names(shown_rows(rows, Choice(search="straße")).rows) == ["STRASSE"]
