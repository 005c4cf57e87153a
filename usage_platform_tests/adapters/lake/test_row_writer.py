"""Merging by key is what a dictionary does, whatever is on which day and in how many stretches."""

from datetime import date

import pandas as pd
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.adapters.lake import row_writer
from usage_platform.adapters.lake.commit_dates import dates_since
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_writer import (
    any_differs,
    append_rows,
    delete_rows,
    merge_rows,
    new,
    old,
)
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import RUN_TOTALS, Lake

DAYS = [date(2024, 3, day) for day in (1, 2, 3)]
KEYS = ("day", "job")
NUMBERS = ("runs", "failed", "seconds", "events")

totals = st.dictionaries(
    st.tuples(st.sampled_from(DAYS), st.sampled_from(["a", "b", "c'd"])), st.integers(0, 3)
)


def frame(by_key) -> pd.DataFrame:
    rows = [(*key, runs, 0, runs / 3, None) for key, runs in by_key.items()]
    return pd.DataFrame(rows, columns=[*KEYS, *NUMBERS])


def table_of(lake) -> dict:
    rows = LakeReader(lake).rows(RUN_TOTALS)
    assert rows["events"].isna().all()
    assert len(rows) == len(rows.drop_duplicates([*KEYS]))
    return {(row["day"], row["job"]): row["runs"] for row in rows.to_dict("records")}


def merged(lake, by_key) -> None:
    larger = f"{new('runs')} > {old('runs')}"
    updates = {"runs": new("runs"), "seconds": new("seconds")}
    merge_rows(lake, RUN_TOTALS, frame(by_key), KEYS, larger, updates)


@pytest.fixture
def made(lake) -> Lake:
    create_tables(lake, (RUN_TOTALS,))
    return lake


@settings(max_examples=30)
@given(
    parts=st.lists(totals.filter(bool), min_size=1, max_size=4),
    gone=totals,
    at_once=st.integers(1, 9),
)
def test_a_merge_updates_and_adds_and_a_deletion_deletes(tmp_path_factory, parts, gone, at_once):
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    create_tables(lake, (RUN_TOTALS,))
    expected: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_writer, "_ROWS_AT_ONCE", at_once)
        for part in parts:
            merged(lake, part)
            expected |= {k: v for k, v in part.items() if v > expected.get(k, -1)}
            assert table_of(lake) == expected
        if gone:
            delete_rows(lake, RUN_TOTALS, frame(gone)[[*KEYS]], KEYS)
    assert table_of(lake) == {k: v for k, v in expected.items() if k not in gone}


def test_without_a_change_there_is_no_commit_and_only_days_that_change_are_named(made):
    merged(made, {(day, "a"): 1 for day in DAYS})
    version = LakeReader(made).state(RUN_TOTALS).version
    merged(made, {(day, "a"): 1 for day in DAYS})
    delete_rows(made, RUN_TOTALS, frame({(DAYS[0], "b"): 1})[[*KEYS]], KEYS)
    assert LakeReader(made).state(RUN_TOTALS).version == version
    merged(made, {(DAYS[0], "a"): 1, (DAYS[1], "a"): 2})
    assert dates_since(LakeReader(made), RUN_TOTALS, version) == DAYS[1:2]


def test_null_equals_null():
    assert any_differs(["x"]) == '(t."x" IS DISTINCT FROM s."x")'


def test_texts_are_declared_as_texts(made):
    """pyarrow, and so every reader that uses it, does not compare string_view with texts."""
    for runs in (1, 2):
        merged(made, {(day, "a"): runs for day in DAYS})
    append_rows(made, RUN_TOTALS, frame({(DAYS[0], "b"): 1}))
    for file in DeltaTable(made.table(RUN_TOTALS)).file_uris():
        assert str(pq.ParquetFile(file).schema_arrow.field("job").type) == "string"


def test_a_day_that_another_writer_has_changed_meanwhile_is_not_replaced(made, monkeypatch):
    merged(made, {(DAYS[0], "a"): 1})
    rows_of = row_writer._rows

    def overtaken(*args):
        rows = rows_of(*args)
        monkeypatch.setattr(row_writer, "_rows", rows_of)
        append_rows(made, RUN_TOTALS, frame({(DAYS[0], "b"): 5}))
        return rows

    monkeypatch.setattr(row_writer, "_rows", overtaken)
    with pytest.raises(LakeError, match="run_totals") as caught:
        merged(made, {(DAYS[0], "a"): 2})
    assert "\n" not in str(caught.value)
    assert table_of(made) == {(DAYS[0], "a"): 1, (DAYS[0], "b"): 5}


def test_what_the_database_refuses_is_one_line(made):
    merged(made, {(DAYS[0], "a"): 1})
    with pytest.raises(LakeError, match="run_totals: rows cannot be merged") as caught:
        merge_rows(made, RUN_TOTALS, frame({(DAYS[0], "a"): 2}), KEYS, "t.nothing", {})
    assert "\n" not in str(caught.value)
