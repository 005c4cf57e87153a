"""Without a name of a meter a table gives no rows, and no error."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.findings_table import FINDING_COLUMNS, known_findings
from usage_platform.adapters.lake.group_hours import hourly_sums
from usage_platform.adapters.lake.newest_hours import newest_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_writer import append_rows
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import USAGE_HOURLY

START = pd.Timestamp("2024-03-05T13:00:00Z")


@pytest.fixture
def reader(lake) -> LakeReader:
    create_tables(lake)
    day = {"start": START, "end": START, "last_reading": START, "event_date": START.date()}
    hours = pd.DataFrame({"meter": ["hall", "roof"], "n": 1, "expected_n": 1, "energy_kwh": 2.0})
    append_rows(lake, USAGE_HOURLY, hours.assign(**day))
    return LakeReader(lake)


@pytest.mark.parametrize("names", [["hall"], {"hall", "roof"}, [], set()])
def test_rows_are_of_the_named_meters_only(reader, names):
    assert set(reader.rows(USAGE_HOURLY, ["meter"], meters=names)["meter"]) == set(names)
    assert set(newest_hours(reader, names, None)["meter"]) == set(names)
    assert known_findings(reader, meters=names).columns.tolist() == FINDING_COLUMNS


def test_no_group_has_no_sums(reader):
    assert hourly_sums(reader, [], START, START + pd.Timedelta(hours=1)).empty
