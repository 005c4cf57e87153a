"""Workbooks: which sheet is read, and what is refused in one line."""

from datetime import datetime, timedelta

import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.fixtures.meter_file_kinds import zipped
from usage_platform_tests.fixtures.workbook_writer import packed_parts, workbook

START = datetime(2024, 3, 5)  # noqa: DTZ001 - a local time
ROWS = [["ts", "kw"], *([START + timedelta(minutes=5 * at), at + 0.5] for at in range(12))]


@pytest.fixture
def load(tmp_path):
    def load(content, name="f.xlsx", **options):
        path = tmp_path / name
        path.write_bytes(content)
        source = CsvSource((path,), options=FileOptions(**options))
        return source.load(lambda _done, _total: None)

    return load


def test_bad_rows_name_the_sheet_and_the_row_as_excel_counts_them(load):
    found = load(workbook({"My data": [[], ["A report"], [], *ROWS, [], [START, "abc"]]}))
    assert [(bad.file, bad.row, bad.field) for bad in found.bad_rows] == [
        ("f.xlsx/My data", 18, "kw")
    ]
    assert len(found.frame) == 12


def test_sheets_that_are_not_read_are_named(load):
    found = load(workbook({"About": [["Made up"]], "Data": ROWS, "Empty": []}))
    assert found.notes[1:] == ("f.xlsx: sheets not read: About",)


def test_a_named_sheet_is_read_in_place_of_the_first_one(load):
    double = [ROWS[0], *([at, value * 2] for at, value in ROWS[1:])]
    found = load(workbook({"One": ROWS, "Two": double}), sheet="Two")
    assert list(found.frame["value"]) == [1 + 2.0 * at for at in range(12)]


def test_numbers_need_no_decimal_mark(load):
    thousandths = [ROWS[0], *([at, 1.234] for at, _ in ROWS[1:])]
    assert list(load(workbook({"S": thousandths})).frame["value"]) == [1.234] * 12


def test_a_workbook_is_recognised_by_its_content_and_read_from_a_zip(load):
    assert len(load(workbook({"S": ROWS}), name="f.csv").frame) == 12
    found = load(zipped({"in/f.xlsx": workbook({"S": [*ROWS, [START, "abc"]]})}), name="f.zip")
    assert [(bad.file, bad.row) for bad in found.bad_rows] == [("f.zip/in/f.xlsx/S", 14)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (workbook({"S": []}), r"f\.xlsx: no sheet has cells; expected one with readings"),
        (workbook({"S": [["a"], [1]]}), r"f\.xlsx/S: no column holds times"),
        (workbook({"S": ROWS[:1]}), r"a header and no row"),
        (workbook({"S": [["a"], [1]], "T": [["b"]]}), r"none of the sheets 'S', 'T' holds"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"f\.xlsx: is a workbook of Excel 97"),
        (packed_parts({"mimetype": "", "content.xml": ""}), r"f\.xlsx: is another document than"),
        (packed_parts({"xl/workbook.xml": "<workbook"}), r"f\.xlsx: damaged workbook"),
        (workbook({"S": ROWS})[:-40], r"f\.xlsx: damaged zip"),
    ],
)
def test_what_is_no_workbook_with_readings_is_refused_in_one_line(load, content, message):
    with pytest.raises(SourceError, match=message) as refused:
        load(content)
    assert "\n" not in str(refused.value)


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(load):
    with pytest.raises(SourceError, match=r"f\.xlsx: no sheet 'Jan'; the sheets are 'S'; name one"):
        load(workbook({"S": ROWS}), sheet="Jan")


@pytest.mark.parametrize(
    "far",
    [
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>',
        '<x:row r="1048576"><x:c  s="1" r=\'XFD1048576\'/></x:row>',
        '<row r="1048576">' + "<c/>" * 10 + "</row>",
    ],
)
def test_cells_in_opposite_corners_are_refused_before_they_take_memory(load, far):
    parts = {
        "xl/workbook.xml": "<workbook/>",
        "xl/worksheets/any.xml": f'<sheetData><row r="1"><c r="A1"/></row>{far}</sheetData>',
    }
    with pytest.raises(SourceError, match=r"f\.xlsx: a sheet spans 1,048,576 rows and .* columns"):
        load(packed_parts(parts))


def test_cells_are_counted_across_the_blocks_of_a_sheet(load, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.sources.workbook_size._BLOCK_BYTES", 64)
    assert len(load(workbook({"S": ROWS})).frame) == 12
    monkeypatch.setattr("usage_platform.adapters.sources.workbook_size.MOST_CELLS", 25)
    with pytest.raises(SourceError, match="spans 13 rows and 2 columns"):
        load(workbook({"S": ROWS}))
