"""Days are read together while their rows fit, and no other day is."""

from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.lake.day_stretches import day_stretches
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS

FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(12)]


class Files:
    """A reader of a table with so many rows on each day, in files of one row."""

    def __init__(self, counts):
        self._counts = counts

    def files(self, table):
        days = [day for day, rows in self._counts.items() for _ in range(rows)]
        return pd.DataFrame({"day": days, "rows": 1})


@given(
    st.dictionaries(st.sampled_from(DAYS), st.integers(1, 5)),
    st.sets(st.sampled_from(DAYS)),
    st.integers(1, 12),
)
def test_each_day_is_in_one_stretch_that_fits_and_no_other_day_of_the_table_is(counts, asked, most):
    days = sorted(asked)
    stretches = day_stretches(Files(counts), READINGS, days, most)
    seen = [day for first, last in stretches for day in DAYS if first <= day <= last]
    assert [day for day in seen if day in counts or day in asked] == days
    for first, last in stretches:
        rows = sum(rows for day, rows in counts.items() if first <= day <= last)
        assert first == last or rows <= most
    # As few as there can be.
    for (first, last), (following, _) in pairwise(stretches):
        between = [day for day in counts if last < day < following]
        rows = sum(rows for day, rows in counts.items() if first <= day <= following)
        assert between or rows > most


def test_the_rows_of_a_day_are_those_of_all_its_files(lake, write_table):
    rows = pd.DataFrame({"meter": "a", "event_date": DAYS[:4], "value": 1.0})
    for _ in range(2):
        write_table(lake, READINGS, rows)
    found = day_stretches(LakeReader(lake), READINGS, DAYS[:4], 4)
    assert found == [(DAYS[0], DAYS[1]), (DAYS[2], DAYS[3])]


def test_without_days_nothing_is_read(lake, write_table):
    write_table(lake, READINGS, pd.DataFrame({"event_date": [FIRST], "value": 1.0}))
    assert day_stretches(LakeReader(lake), READINGS, [], 10) == []
