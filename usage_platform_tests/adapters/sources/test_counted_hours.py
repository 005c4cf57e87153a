"""Hours that are numbers: those of the clock are read, those counted from midnight are refused.

The two are the same but on the days on which the clocks change.
"""

from datetime import date, timedelta

import pandas as pd
import pytest

from usage_platform.core.meter_descriptions.description import MeterDescription
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError
from usage_platform.settings.settings import Settings
from usage_platform.wiring.sources import file_source
from usage_platform_tests.adapters.sources.described_files import kw, understood

ZONE, FIXED = "Europe/Berlin", "Etc/GMT-1"
AUTUMN, SPRING, USUAL = date(2023, 10, 29), date(2023, 3, 26), date(2023, 6, 1)
LENGTHS = {AUTUMN: 25, SPRING: 23}
ONE_DAY = timedelta(days=1)
VALUES = [at * 7 % 13 + 1 for at in range(80)]
REFUSAL = r"hours\d\.csv: 2023-\d+-\d+ has 2[35] hours that are counted from midnight.*offset"


def counted(day, first):
    """The hours of a day, one after the other."""
    return [*range(first, LENGTHS.get(day, 24) + first)]


def of_the_clock(day, first):
    """The hours of a day as its clock shows them when they begin, or one later."""
    start, end = (pd.Timestamp(at, tz=ZONE) for at in (day, day + ONE_DAY))
    return [at.hour + first for at in pd.date_range(start, end, freq="h", inclusive="left")]


def around(day, hours, first):
    """The hours of a day, the one before and the one after."""
    return [(one, hours(one, first)) for one in (day - ONE_DAY, day, day + ONE_DAY)]


def load(folder, *files, header="Date,Hour,kWh", row="{day},{hour},{value}", **said):
    """Read files of days with their hours."""
    values, paths = iter(VALUES), []
    for number, days in enumerate(files):
        paths.append(folder / f"hours{number}.csv")
        rows = [(day, hour) for day, hours in days for hour in hours]
        lines = [row.format(day=day, hour=hour, value=next(values)) for day, hour in rows]
        paths[-1].write_text("\n".join([header, *lines]) + "\n")
    given = {"interval_minutes": "60", "timezone": ZONE, "csv_stamp": "end", **said}
    source = file_source(Settings.from_env({}, source=str(folder / "hours*.csv"), **given), {})
    return source.load(lambda done, total: None)


def stamp(first):
    return ("start", "end")[first]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("day", [AUTUMN, SPRING])
@pytest.mark.parametrize("is_a_file", [False, True], ids=["one file", "a file a day"])
def test_hours_counted_over_a_change_of_the_clocks_are_refused(tmp_path, day, first, is_a_file):
    days = around(day, counted, first)
    files = [[one] for one in days] if is_a_file else [days]
    with pytest.raises(SourceError, match=REFUSAL) as refused:
        load(tmp_path, *files, csv_stamp=stamp(first))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("first", [0, 1])
def test_a_file_of_that_day_alone_is_refused(tmp_path, first):
    with pytest.raises(SourceError, match=REFUSAL):
        load(tmp_path, [(SPRING, counted(SPRING, first))], csv_stamp=stamp(first))


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("Time,kWh", "{day} {hour},{value}", {}),
        ("Time,kWh", "{day}T{hour:02},{value}", {}),
        ("Time,kWh", "{day:%d.%m.%Y} {hour:02},{value}", {}),
        ("Time,kWh", "{day:%Y%m%d}{hour:02},{value}", {"csv_time_format": "%Y%m%d%H"}),
        ("Time,kWh", "{day} {hour}:00,{value}", {"csv_time_format": "%Y-%m-%d %H:00"}),
        ("Date,Hour,Meter,kWh", "{day},{hour},north,{value}", {}),
    ],
)
def test_they_are_refused_however_hours_are_written(tmp_path, header, row, said):
    for day in (AUTUMN, SPRING):
        with pytest.raises(SourceError, match=REFUSAL):
            load(tmp_path, around(day, counted, 1), header=header, row=row, **said)


@pytest.mark.parametrize("is_wide", [False, True])
def test_those_of_a_described_meter_are_refused_and_of_another_zone_are_not(tmp_path, is_wide):
    """Its neighbour's clock has no changes."""
    days = [(day, hour) for day in (SPRING - ONE_DAY, SPRING) for hour in counted(day, 1)]
    lines = ["Date,Hour,north,south" if is_wide else "Date,Hour,Meter,kWh"]
    for (day, hour), value in zip(days, VALUES, strict=False):
        each = [f"{value},2"] if is_wide else [f"north,{value}", "south,2"]
        lines += [f"{day},{hour},{cells}" for cells in each]
    text = "\n".join([*lines, ""])

    def described(zone):
        north, south = (
            MeterDescription(name=name, timezone=at, interval=60, unit="kWh", stamp="end")
            for name, at in (("north", zone), ("south", FIXED))
        )
        return understood(tmp_path / "a.csv", text, north, south, meter=Meter("m", FIXED, 60))

    with pytest.raises(SourceError, match="has 23 hours that are counted from midnight"):
        described(ZONE)
    assert kw(described(FIXED), "north") == VALUES[: len(days)]


def test_a_row_for_the_missing_hour_without_a_value_does_not_count(tmp_path):
    lines = [f"{SPRING},{hour},{hour % 5}" for hour in range(1, 24)]
    (tmp_path / "hours1.csv").write_text("\n".join(["Date,Hour,kWh", *lines, f"{SPRING},24,\n"]))
    with pytest.raises(SourceError, match=REFUSAL):
        load(tmp_path)


@pytest.mark.parametrize(("day", "first"), [(AUTUMN, 0), (SPRING, 0), (USUAL, 0), (USUAL, 1)])
def test_hours_of_the_clock_are_read(tmp_path, day, first):
    days = around(day, of_the_clock, first)
    count = sum(len(hours) for _, hours in days)
    readings = load(tmp_path, days, csv_stamp=stamp(first))
    start = pd.Timestamp(day - ONE_DAY, tz=ZONE).tz_convert("UTC")
    assert list(readings.frame["ts"]) == [start + pd.Timedelta(hours=at) for at in range(count)]
    assert list(readings.frame["value"]) == VALUES[:count]


@pytest.mark.parametrize("day", [AUTUMN, SPRING])
def test_a_clock_that_never_changes_is_read_in_its_zone(tmp_path, day):
    readings = load(tmp_path, [(one, range(1, 25)) for one, _ in around(day, counted, 1)],
                    timezone=FIXED)  # fmt: skip
    assert list(readings.frame["value"]) == VALUES[:72]
    assert not readings.bad_rows


def test_a_spring_day_that_is_not_over_is_no_counted_one(tmp_path):
    readings = load(tmp_path, [(SPRING - ONE_DAY, range(24)), (SPRING, range(12))],
                    csv_stamp="start")  # fmt: skip
    assert [row.text for row in readings.bad_rows] == ["2023-03-26 02:00:00"]


def test_a_wrong_hour_on_another_day_is_one_bad_row(tmp_path):
    days = around(USUAL, counted, 1)
    readings = load(tmp_path, [*days, (USUAL + 2 * ONE_DAY, [25])])
    assert [row.text for row in readings.bad_rows] == ["2023-06-03 25"]
    assert len(readings.frame) == 72
