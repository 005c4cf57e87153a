"""The digest of a day's readings: of what they are, not of how they are stored."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.readings_digest import readings_digest
from usage_platform.adapters.lake.tables import READINGS, Lake

DAY, NOON = date(2024, 3, 5), pd.Timestamp("2024-03-05T12:00Z")
TIMES = pd.date_range("2024-03-05", periods=24, freq="h", tz="UTC")
ROWS = pd.DataFrame({"meter": "m", "event_time": TIMES, "event_date": DAY, "value": range(24)})
ROWS = ROWS.astype({"value": float})


@pytest.fixture
def digest(tmp_path, write_table):
    """The digest of readings that are written in some parts."""

    def of(*parts: pd.DataFrame) -> str:
        lake = Lake(str(tmp_path / str(len(list(tmp_path.iterdir())))))
        for part in parts:
            write_table(lake, READINGS, part)
        return readings_digest(LakeReader(lake), DAY, NOON)

    return of


def test_order_and_files_do_not_matter(digest):
    assert digest(ROWS) == digest(ROWS.iloc[::-1]) == digest(ROWS[5:], ROWS[:5])


def test_later_readings_and_other_days_do_not_matter(digest):
    after = pd.Timestamp("2024-03-06T01:00Z")
    other = ROWS[:1].assign(event_time=after, event_date=after.date())
    assert digest(ROWS) == digest(ROWS[:12]) == digest(ROWS, other)


@pytest.mark.parametrize(
    "other",
    [
        ROWS[1:],
        ROWS.assign(meter="n"),
        ROWS.assign(value=ROWS["value"].where(ROWS.index != 3, 9.9)),
        pd.concat([ROWS, ROWS[:1].assign(meter="n")]),
    ],
    ids=["one less", "another meter", "another value", "one more"],
)
def test_each_reading_counts(digest, other):
    assert digest(ROWS) != digest(other)
