"""Hours that are numbers: those of the clock are read, those counted from midnight are refused.

The two are the same but on the days on which the clocks change.
"""

from datetime import date, timedelta

import pandas as pd
import pytest

from usage_platform.core.readings.source import SourceError
from usage_platform.settings.settings import Settings
from usage_platform.wiring.sources import file_source

ZONE = "Europe/Berlin"
AUTUMN, SPRING, USUAL = date(2023, 10, 29), date(2023, 3, 26), date(2023, 6, 1)
VALUES = [at * 7 % 13 + 1 for at in range(80)]
_LAST = {AUTUMN: 25, SPRING: 23, USUAL: 24}


def counted(day, first):
    """The hours of a day, one after the other."""
    return range(first, _LAST[day] + first)


def of_the_clock(day, first):
    """The hours of a day as its clock shows them when they begin, or one later."""
    start, end = (pd.Timestamp(at, tz=ZONE) for at in (day, day + timedelta(days=1)))
    return [at.hour + first for at in pd.date_range(start, end, freq="h", inclusive="left")]


def load(tmp_path, changing, hours, first):
    days = [changing - timedelta(days=1), changing, changing + timedelta(days=1)]
    _LAST.update({day: 24 for day in days if day != changing})
    rows = [(day, hour) for day in days for hour in hours(day, first)]
    lines = [f"{day},{hour},{value}\n" for (day, hour), value in zip(rows, VALUES, strict=False)]
    text = "Date,Hour,kWh\n" + "".join(lines)
    path = tmp_path / "hours.csv"
    path.write_text(text)
    said = {"interval_minutes": "60", "timezone": ZONE, "csv_stamp": ("start", "end")[first]}
    readings = file_source(Settings.from_env({}, source=str(path), **said), {})
    return readings.load(lambda done, total: None), len(rows)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("day", [AUTUMN, SPRING])
def test_hours_counted_over_a_change_of_the_clocks_are_refused(tmp_path, day, first):
    reason = r"hours\.csv.*counted from midnight.*offset"
    if (day, first) == (AUTUMN, 0):
        # 24 is also the hour 0 of the next day.
        reason = r"hours\.csv.*another value .* for the same meter and time"
    with pytest.raises(SourceError, match=reason) as refused:
        load(tmp_path, day, counted, first)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("day", "first"), [(AUTUMN, 0), (SPRING, 0), (USUAL, 0), (USUAL, 1)])
def test_hours_of_the_clock_are_read(tmp_path, day, first):
    readings, count = load(tmp_path, day, of_the_clock, first)
    start = pd.Timestamp(day - timedelta(days=1), tz=ZONE).tz_convert("UTC")
    assert list(readings.frame["ts"]) == [start + pd.Timedelta(hours=at) for at in range(count)]
    assert list(readings.frame["value"]) == VALUES[:count]


@pytest.mark.parametrize("hours", [counted, of_the_clock])
def test_without_a_change_of_the_clocks_both_are_the_same(tmp_path, hours):
    readings, count = load(tmp_path, USUAL, hours, 1)
    assert list(readings.frame["value"]) == VALUES[:count]
