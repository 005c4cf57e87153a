"""Times as portals, loggers and spreadsheets of several languages write them."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.meter_files.columns import Table, time_columns
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.time_forms import given_form, is_range, month_of, recognised
from usage_platform.core.meter_files.times import read_times
from usage_platform.core.readings.source import SourceError


def read(*texts, option=None):
    form = given_form(option) if option else recognised(texts)
    assert form is not None
    found = read_times(pd.Series(texts, dtype=object), form)
    times = np.where(np.isnat(found.instants), found.wall, found.instants)
    return [str(time)[:16] for time in times.astype("datetime64[ns]")], form


@pytest.mark.parametrize(
    "text",
    [
        "13. März 2024 14:30",
        "13 mars 2024 14:30",
        "13-mar-2024 14:30",
        "13 de marzo de 2024 14:30",
        "13. Maerz 2024 14:30",
        "13 mrt 2024 14:30",
        "mié, 13/03/2024 14:30",
        "13/03/2024 02:30 p. m.",
        "13/03/2024 02:30\u00a0p.\u00a0m.",
        "03/13/2024, 2:30\u202fPM",
        "13.03.2024 14:30 Uhr",
        "2024-03-13 14:30 to 2024-03-13 14:45",
        "2024-03-13 14:30:00\u00a0to\u00a02024-03-13 14:45:00",
        "13.03.2024 14:30 - 14:45",
        "2024/03/13 14:30\uff5e14:45",
        "13.03.2024 15:30 CEST",
        "2024-03-13T15:30:00+01:00[Europe/Berlin]",
        "1710340200000000",
        "1710340200000000000",
    ],
)
def test_one_time_in_many_forms(text):
    times, form = read(text)
    shown = "2024-03-13T13:30" if "CEST" in text else "2024-03-13T14:30"
    assert times == [shown]
    assert read(text, option=form.option)[0] == [shown]


@pytest.mark.parametrize(
    ("number", "names"),
    [
        (1, "January Januar janvier enero gennaio januari"),
        (2, "Feb févr. fevrier febrero"),
        (3, "Mär Marzo mars maart"),
        (4, "April avril abril"),
        (5, "May Mai mayo maggio mei maj"),
        (6, "June juin Juni junio giugno"),
        (7, "July juil juillet julio luglio"),
        (8, "Aug août agosto"),
        (9, "Sept settembre setiembre"),
        (10, "Oct Okt ottobre outubro"),
        (12, "Dec Dez déc dicembre diciembre"),
    ],
)
def test_months(number, names):
    assert {month_of(name.strip(".")) for name in names.split()} == {number}


def test_what_is_no_month():
    assert {month_of(name) for name in ("Montag", "kWh", "Total", "juni0r"[:2])} == {None}


def test_ranges_are_stamped_at_the_start():
    assert is_range("13.01.2024 00:00 - 00:15")
    assert not is_range("2024-01-13 00:00:00 -05:00")
    assert not is_range("2024-01-13")
    for names, cells in (
        (("when", "kw"), ("13.01.2024 00:00 - 00:15", "1")),
        (("date", "when", "kw"), ("13.01.2024", "00:00 - 00:15", "1")),
    ):
        table = Table("f.csv", names, [cells])
        assert time_columns(table, CsvColumns(), FileOptions()).has_start


def test_a_range_without_blanks_is_no_offset():
    rows = [(f"13.01.2024 0{at}:00-0{at + 1}:00", "1") for at in range(8)]
    with pytest.raises(SourceError, match="may be an interval or a time with an offset"):
        time_columns(Table("f.csv", ("when", "kw"), rows), CsvColumns(), FileOptions())


def test_times_of_two_zones_are_instants():
    times, _ = read("2024-11-03 01:30 AM EDT", "2024-11-03 01:30 AM EST")
    assert times == ["2024-11-03T05:30", "2024-11-03T06:30"]
