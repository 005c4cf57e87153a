"""Quality flags go with the readings that their rows make."""

import numpy as np
import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.meters import Meter


@pytest.fixture
def flags(tmp_path):
    def flags(header, *rows, interval=15):
        path = tmp_path / "f.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        meter = Meter("m", "Asia/Kathmandu", interval)
        found = CsvSource((path,), meter).load(lambda _done, _total: None)
        if found.quality is None:
            return None
        assert len(found.quality) == len(found.frame)
        return list(zip(found.frame["meter"], found.quality, strict=True))

    return flags


def rows_of(minutes, *cells):
    return [
        f"2024-03-05 {m // 60:02d}:{m % 60:02d},{c}" for m, c in zip(minutes, cells, strict=True)
    ]


@pytest.mark.parametrize("name", ["quality", "Status", "estimated", "Reading status", "data_flag"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_reading_has_the_flag_of_its_row(flags, name, quote):
    cells = [f"1,{quote}A{quote}", f"2,{quote}E{quote}", "3,", "abc,E"]
    found = flags(f"ts,kw,{name}", *rows_of(range(0, 60, 15), *cells), *rows_of([120], "9,A"))
    assert [flag for _, flag in found] == ["A", "E", "", "A"]


def test_a_file_without_flags_has_none(flags):
    assert flags("ts,kw", *rows_of([0, 15], "1", "2")) is None
    assert flags("ts,kw,quality", *rows_of([0, 15], "1,", "2,")) is None


def test_each_meter_has_its_own(flags):
    cells = [f"{meter},{value},{flag}" for value, flag in ((1, "A"), (2, "E"))
             for meter in ("b", "a")]  # fmt: skip
    found = flags("ts,meter,kw,quality", *rows_of([15, 15, 0, 0], *cells))
    assert sorted(found) == [("a", "A"), ("a", "E"), ("b", "A"), ("b", "E")]
    assert [flag for _, flag in found] == ["E", "E", "A", "A"]


def test_a_mean_of_finer_rows_has_the_flags_of_all(flags):
    cells = ["1,A", "1,E", "1,A", "1,A", "1,A", "1,A"]
    found = flags("ts,kw,quality", *rows_of(range(0, 30, 5), *cells))
    assert [flag for _, flag in found] == ["A E", "A"]


def test_what_a_register_counts_has_the_flags_of_both_ends(flags):
    cells = ["10,A", "11,E", "12,A", "13,A"]
    found = flags("ts,total_kwh,quality", *rows_of(range(0, 60, 15), *cells))
    assert [flag for _, flag in found] == ["A E", "E A", "A"]


def test_of_repeated_rows_the_flag_of_the_last_one_counts(flags):
    found = flags("ts,kw,quality", *rows_of([0, 0, 15], "1,E", "1,A", "2,A"))
    assert [flag for _, flag in found] == ["A", "A"]


def test_the_fast_way_and_the_other_one_agree(flags):
    rng = np.random.default_rng(1)
    cells = [f"{value},{flag}" for value, flag in zip(rng.integers(0, 9, 96),
             rng.choice(["A", "E", ""], 96), strict=True)]  # fmt: skip
    plain = rows_of(range(0, 1440, 15), *cells)
    quoted = [row.rpartition(",")[0] + f',"{row.rpartition(",")[2]}"' for row in plain]
    assert flags("ts,kw,quality", *plain) == flags("ts,kw,quality", *quoted)
