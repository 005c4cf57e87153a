"""The real files of a library and of a campus: each row becomes a reading or is reported."""

import pandas as pd
import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.meter_files.options import CsvColumns
from usage_platform.core.meters import Meter
from usage_platform_tests.repository import SHARED_DATA


def quiet(_done, _total):
    pass


def real_file(name):
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return path


def test_every_row_of_the_real_library_file_becomes_a_reading():
    found = CsvSource((real_file("bpl_seven_tuesdays.csv"),)).load(quiet)
    assert (len(found.frame), found.bad_rows, found.repeated_rows) == (2015, (), 0)
    assert (found.frame["value"].min(), found.frame["value"].max()) == (468.0, 1180.8)
    local = found.frame["ts"].dt.tz_convert("America/New_York")
    assert set(local.dt.day_name()) == {"Tuesday"}
    assert local.iloc[0] == pd.Timestamp("2024-03-05 00:00", tz="America/New_York")


def test_every_row_of_the_real_campus_file_becomes_a_reading():
    path = real_file("torino_campus_15min.csv.gz")
    columns = CsvColumns(time="ts", end=None, value="kw")
    found = CsvSource((path,), Meter("torino-campus", "Etc/GMT-1", 15), columns).load(quiet)
    plain = pd.read_csv(path)
    assert (found.rows, len(found.frame), found.bad_rows) == (len(plain), len(plain), ())
    assert list(found.frame["value"]) == list(plain["kw"])
    expected = pd.to_datetime(plain["ts"]) - pd.Timedelta(hours=1)
    assert (found.frame["ts"].dt.tz_localize(None) == expected).all()


def test_a_campus_without_daylight_saving_read_as_if_it_had_reports_its_spring_hours():
    path = real_file("torino_campus_15min.csv.gz")
    columns = CsvColumns(time="ts", end=None, value="kw")
    found = CsvSource((path,), Meter("torino-campus", "Europe/Rome", 15), columns).load(quiet)
    assert len(found.bad_rows) == 3 * 4
    assert all("does not exist in Europe/Rome" in bad.reason for bad in found.bad_rows)
    assert found.rows == 108_091
