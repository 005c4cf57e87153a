"""The dates in a commit, from both sides."""

import json
from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.commit_dates import date_list, dates_since
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY

FIRST, SECOND = date(2024, 3, 5), date(2024, 3, 6)


def test_dates_are_sql_literals_each_once_and_sorted():
    assert date_list([SECOND, FIRST, SECOND]) == "DATE'2024-03-05', DATE'2024-03-06'"


@pytest.fixture
def reader(lake, write_table) -> LakeReader:
    """Four commits: about the second day, about none it says, about both, and of a stranger."""
    frame = pd.DataFrame({"meter": ["a"], "event_date": [FIRST]})
    for notes in (
        json.dumps({"dates": ["2024-03-06"]}),
        None,
        json.dumps({"dates": ["2024-03-06", "2024-03-05"]}),
        json.dumps({"other": 1}),
    ):
        write_table(lake, USAGE_HOURLY, frame, notes=notes)
    return LakeReader(lake)


@pytest.mark.parametrize(
    ("version", "dates"),
    [(-1, [FIRST, SECOND]), (0, [FIRST, SECOND]), (1, [FIRST, SECOND]), (2, []), (3, [])],
)
def test_only_the_commits_after_the_version_count(reader, version, dates):
    assert dates_since(reader, USAGE_HOURLY, version) == dates


def test_the_first_commit_counts_from_before_there_was_a_table(lake, write_table):
    frame = pd.DataFrame({"meter": ["a"], "event_date": [FIRST]})
    write_table(lake, READINGS, frame, notes=json.dumps({"dates": ["2024-03-05"]}))
    assert dates_since(LakeReader(lake), READINGS, -1) == [FIRST]


def test_a_table_that_was_not_made_yet_has_no_dates(lake):
    assert dates_since(LakeReader(lake), READINGS, -1) == []
