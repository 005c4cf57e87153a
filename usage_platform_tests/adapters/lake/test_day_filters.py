"""A filter chooses exactly its days, and a read of some days knows no file of another one."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from usage_platform.adapters.lake.day_filters import ALL_DAYS, between, dataset, on_days
from usage_platform.adapters.lake.delta_tables import open_table
from usage_platform.adapters.lake.row_writer import append_rows
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import RUN_TOTALS, Lake

# Both ends of a year and a leap day, which differ as texts in more than their last digits.
DAYS = [date(2023, 12, 30) + timedelta(days=n) for n in (0, 1, 2, 3, 61, 62, 366)]
a_day = st.sampled_from([*DAYS, date(2024, 1, 15), date(2026, 1, 1)])


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("days")))
    create_tables(lake, (RUN_TOTALS,))
    for part in (DAYS[::2], DAYS[1::2], DAYS[:2]):
        rows = {"day": part, "job": "a", "runs": 1, "failed": 0, "seconds": 0.0}
        append_rows(lake, RUN_TOTALS, pd.DataFrame(rows))
    return lake


def chosen(lake, days) -> list[date]:
    """The days of the rows that a filter leaves, each once; no file holds another day."""
    found = dataset(open_table(lake, RUN_TOTALS), days)
    rows = sorted(set(found.to_table(["day"])["day"].to_pylist()))
    assert {file.split("/")[0] for file in found.files} == {f"day={day}" for day in rows}
    return rows


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.none() | a_day, last=st.none() | a_day)
def test_a_span_has_both_its_ends_and_nothing_beyond(lake, first, last):
    expected = [d for d in DAYS if (not first or d >= first) and (not last or d <= last)]
    assert chosen(lake, between(RUN_TOTALS, first, last)) == expected


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.sets(a_day, min_size=1))
def test_some_days_are_those_and_no_other(lake, days):
    assert chosen(lake, on_days(RUN_TOTALS, days)) == [day for day in DAYS if day in days]


def test_without_a_filter_all_days_are_read(lake):
    assert chosen(lake, ALL_DAYS) == DAYS
