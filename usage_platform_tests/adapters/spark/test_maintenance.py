"""Maintenance on real Spark: fewer files, the same rows, and a log that does not grow for ever."""

import os
import time
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from deltalake import DeltaTable

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.run_totals import add_run_totals
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import (
    READINGS,
    REJECTS,
    RUN_TOTALS,
    log_properties,
)
from usage_platform.adapters.spark.maintenance import keep_tables

DAYS = [date(2024, 3, day) for day in (1, 2, 3, 4, 5)]
LONG_AGO = 10 * 86_400

pytestmark = pytest.mark.spark


def put_files(lake, write_table, table, days, files=2):
    """Write small files, each with a row for each of the days."""
    for number in range(files):
        rows = pd.DataFrame({"partition": number, "offset": range(len(days))})
        rows["partition"] = rows["partition"].astype("int32")
        write_table(lake, table, rows.assign(**{table.partition: days}))


def rows_of(lake, table):
    rows = LakeReader(lake).rows(table)
    return rows.sort_values([*rows.columns], ignore_index=True)


def files_a_day(lake, table):
    return LakeReader(lake).files(table).groupby("day").size().to_dict()


def test_files_of_settled_days_are_joined_once_and_replaced_ones_removed_in_time(
    spark, lake, write_table
):
    put_files(lake, write_table, READINGS, DAYS)
    # Newer than any reading: rejects have the broker's time.
    put_files(lake, write_table, REJECTS, [DAYS[-1] + timedelta(days=300)])
    before = rows_of(lake, READINGS)
    reader = LakeReader(lake)

    readings, rejects = keep_tables(spark, reader, 168)

    assert (readings.table, readings.days_joined, rejects.days_joined) == ("readings", 3, 0)
    assert files_a_day(lake, READINGS) == dict(zip(DAYS, (1, 1, 1, 2, 2), strict=True))
    assert (readings.files_before, readings.files_after, readings.files_removed) == (10, 7, 0)
    assert readings.bytes_after < readings.bytes_before
    pd.testing.assert_frame_equal(rows_of(lake, READINGS), before)
    assert log_properties().items() <= reader.properties(READINGS).items()
    assert reader.state(READINGS).reader_version == 1

    version = reader.state(READINGS).version
    (again,) = keep_tables(spark, reader, 168, [READINGS])
    assert (again.days_joined, again.files_after) == (0, 7)
    since = reader.state(READINGS).version - version
    done = [commit["operation"] for commit in reader.history(READINGS, since)]
    assert done == ["VACUUM END", "VACUUM START"]

    (soon,) = keep_tables(spark, reader, 0, [READINGS])
    assert soon.files_removed == 6
    assert len(list(Path(lake.table(READINGS)).glob("event_date=*/*.parquet"))) == 7
    pd.testing.assert_frame_equal(rows_of(lake, READINGS), before)


def test_the_log_of_commits_is_trimmed(spark, lake, write_table):
    put_files(lake, write_table, READINGS, DAYS[:1], files=20)
    DeltaTable(lake.table(READINGS)).create_checkpoint()
    put_files(lake, write_table, READINGS, DAYS[:1], files=29)
    log = Path(lake.table(READINGS)) / "_delta_log"
    for path in log.iterdir():
        # As they were written, one after the other.
        second = time.time() - LONG_AGO + (int(path.name[:20]) if path.name[0] == "0" else 0)
        os.utime(path, (second, second))
    before = rows_of(lake, READINGS)
    keep_tables(spark, LakeReader(lake), 168)
    commits = sorted(int(path.stem) for path in log.glob("*.json") if path.stem.isdigit())
    assert commits[0] >= 19
    assert len(commits) < 35
    pd.testing.assert_frame_equal(rows_of(lake, READINGS), before)


def test_tables_are_made_with_a_log_that_is_trimmed(lake):
    create_tables(lake, [READINGS])
    assert log_properties().items() <= LakeReader(lake).properties(READINGS).items()


def test_totals_of_runs_are_added_once_and_can_be_asked_for_in_sql(lake):
    totals = pd.DataFrame(
        {
            "day": [DAYS[0], DAYS[0]],
            "job": ["micro_batch", "quality"],
            "runs": [288, 24],
            "failed": [1, 0],
            "seconds": [1440.5, 48.0],
            "events": [3000, 0],
        }
    )
    add_run_totals(lake, totals)
    later = pd.concat([totals[:1].assign(runs=7), totals[1:].assign(day=DAYS[1])])
    add_run_totals(lake, later)
    add_run_totals(lake, later)
    there = rows_of(lake, RUN_TOTALS)
    expected = pd.concat([totals, later[1:]], ignore_index=True)
    pd.testing.assert_frame_equal(there, expected, check_like=True)
    asked = LakeReader(lake).query("SELECT sum(runs) AS n FROM run_totals").to_pylist()
    assert asked == [{"n": 336}]
