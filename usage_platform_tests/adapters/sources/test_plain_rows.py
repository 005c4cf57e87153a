"""Blocks of plain rows that are read at once give what reading them one by one gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.sources.plain_rows import plain_block
from usage_platform.core.meter_files.dialect import dialect_of_lines, split_line
from usage_platform.core.meter_files.layout import layout_of
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.meter_files.rows import read_block

HEADER = "start,end,meter,kW"
OPTIONS = FileOptions(time_format="")
_moments = st.integers(86_400, 2_145_800_000)
"""Seconds whose instants are read whatever the offset: of 1970 to 2037."""


def both(lines: list[str], header: str = HEADER):
    """The rows at once, or None, and one by one."""
    dialect = dialect_of_lines([header, *lines], "f", OPTIONS)
    layout = layout_of("f", dialect, [], CsvColumns(), OPTIONS)
    rows = [split_line(line, ",") for line in lines]
    block = "".join(f"{line}\n" for line in lines).encode()
    return plain_block(layout, block, 2), read_block(layout, np.arange(2, 2 + len(rows)), rows)


def assert_same(at_once, one_by_one):
    for name in ("numbers", "times", "is_instant", "values", "end_wall", "end_instants"):
        np.testing.assert_array_equal(getattr(at_once, name), getattr(one_by_one, name), name)
    names = [[rows.names[code] for code in rows.meters] for rows in (at_once, one_by_one)]
    assert names[0] == names[1]


@settings(deadline=None, max_examples=40)
@given(
    moments=st.lists(_moments, min_size=1, max_size=5),
    separator=st.sampled_from("T "),
    unit=st.sampled_from("ms"),
    zone=st.sampled_from(["", "Z", "+00:00", "-05:00", "+05:45", "+13:00", "-00:30"]),
    header=st.sampled_from([HEADER, HEADER.replace("start", "start utc")]),
)
def test_times_with_and_without_an_offset_are_the_same(moments, separator, unit, zone, header):
    def text(second: int) -> str:
        written = np.datetime_as_string(np.datetime64(second, "s"), unit=unit)
        return written.replace("T", separator) + zone

    lines = [f"{text(at)},{text(at + 60)},m{at % 3},{at / 7:.3f}" for at in moments]
    at_once, one_by_one = both(lines, header)
    assert at_once is not None
    assert_same(at_once, one_by_one)


@pytest.mark.parametrize(
    "time",
    [
        "2024-03-05T13:05:00+01:00",
        "2024-03-05T13:05:00z",
        "2024-03-05T13:05:00 ",
        "2024-13-05T13:05:00Z",
        "1969-12-31T23:00:00Z",
        "2024-03-05T13:05:00",
    ],
)
def test_a_block_with_a_time_of_another_form_is_read_row_by_row(time):
    rows = ["2024-03-05T13:00:00Z,2024-03-05T13:05:00Z,m,1", f"{time},2024-03-05T13:10:00Z,m,1"]
    assert both(rows)[0] is None


@pytest.mark.parametrize("offset", ["+24:00", "+1:000", "+01:60", "01:00Z", "+010:0"])
def test_a_block_with_an_offset_that_no_zone_has_is_read_row_by_row(offset):
    times = [f"2024-03-05 13:0{minute}:00{zone}" for minute, zone in ((0, "+01:00"), (5, offset))]
    assert both([f"{times[0]},,m,1", f"{times[1]},,m,1"])[0] is None
    assert both([f"{time},m,1" for time in times], "start,meter,kW")[0] is None
