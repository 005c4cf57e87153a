"""Cells of a sheet as the texts of a CSV file."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.meter_files.sheet_cells import (
    ColumnKind,
    cell_text,
    column_kinds,
    row_text,
)

DATES, MOMENTS, CLOCKS = ColumnKind.DATES, ColumnKind.MOMENTS, ColumnKind.CLOCKS
AT = datetime(2024, 1, 13, 0, 15)  # noqa: DTZ001 - a local time


@pytest.mark.parametrize(
    ("cell", "kind", "text"),
    [
        ("x", DATES, "x"),
        (" Power\r\n(kW) ", DATES, "Power (kW)"),
        (True, DATES, "TRUE"),
        (5.0, DATES, "5"),
        (1705122000.0, DATES, "1705122000"),
        (-0.25, DATES, "-0.25"),
        (1.234, DATES, "1.234"),
        (float("inf"), DATES, "inf"),
        (AT, MOMENTS, "2024-01-13 00:15:00"),
        (AT - timedelta(milliseconds=1), MOMENTS, "2024-01-13 00:15:00"),
        (AT + timedelta(milliseconds=4), MOMENTS, "2024-01-13 00:15:00"),
        (datetime(2024, 12, 31, 23, 59, 59, 999000), MOMENTS, "2025-01-01 00:00:00"),  # noqa: DTZ001
        (date(2024, 1, 13), MOMENTS, "2024-01-13 00:00:00"),
        (date(2024, 1, 13), DATES, "2024-01-13"),
        (time(0, 14, 59, 999000), CLOCKS, "00:15:00"),
        (date(1900, 1, 1), CLOCKS, "24:00:00"),
        (date(1904, 1, 2), CLOCKS, "24:00:00"),
        (date(1900, 1, 1), DATES, "1900-01-01"),
        (timedelta(hours=24), CLOCKS, "24:00:00"),
        (timedelta(minutes=15), CLOCKS, "00:15:00"),
    ],
)
def test_a_cell_is_written_as_a_csv_file_would_have_it(cell, kind, text):
    assert cell_text(cell, kind) == text


def test_a_column_is_of_moments_dates_or_times_of_day():
    rows = [["ts", "day", "at", "kw"], [date(2024, 1, 13), date(2024, 1, 13), time(), 1.0]]
    rows.append([AT, date(2024, 1, 14), timedelta(1), 2.0])
    assert column_kinds(rows) == (MOMENTS, DATES, CLOCKS, DATES)
    assert row_text(rows[1], column_kinds(rows)) == [
        "2024-01-13 00:00:00",
        "2024-01-13",
        "00:00:00",
        "1",
    ]


def test_a_row_without_text_is_no_row():
    assert row_text(["", ""], (DATES, DATES)) == []
    assert row_text(["", 0.0], (DATES, DATES)) == ["", "0"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_exactly(number):
    assert float(cell_text(number, DATES)) == number
