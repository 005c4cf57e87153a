"""Reading the tables without a JVM, and SQL that reaches the tables and nothing else."""

import json
from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader, TableState
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY

DAYS = [date(2024, 3, 5), date(2024, 3, 6), date(2024, 3, 7)]


@pytest.fixture
def reader(lake, write_table) -> LakeReader:
    """A lake with one table: a reading a day, written in two commits."""
    times = pd.to_datetime([f"{day}T13:05:00Z" for day in DAYS]).astype("datetime64[ns, UTC]")
    frame = pd.DataFrame(
        {"meter": "a", "event_time": times, "event_date": DAYS, "value": [1.5, 2.5, 3.5]}
    )
    write_table(lake, READINGS, frame[:1])
    write_table(lake, READINGS, frame[1:])
    return LakeReader(lake)


def test_the_state_tells_version_rows_files_and_protocol(reader):
    assert reader.state(READINGS) == TableState(version=1, rows=3, files=3, reader_version=1)


def test_a_table_that_was_not_made_yet_has_no_rows_and_no_history(reader):
    assert not reader.exists(REJECTS)
    assert reader.state(REJECTS) == TableState(version=-1, rows=0, files=0, reader_version=0)
    assert reader.history(REJECTS, 5) == []
    with pytest.raises(LakeError, match=r"^rejects: no such table yet; no micro-batch has run$"):
        reader.rows(REJECTS)


def test_rows_come_with_utc_nanoseconds_like_everywhere(reader):
    rows = reader.rows(READINGS, ["event_time", "value"]).sort_values("event_time")
    assert rows["event_time"].dtype == "datetime64[ns, UTC]"
    assert rows["value"].tolist() == [1.5, 2.5, 3.5]
    assert rows.columns.tolist() == ["event_time", "value"]


@pytest.mark.parametrize(
    ("first", "last", "values"),
    [
        (None, None, [1.5, 2.5, 3.5]),
        (DAYS[1], None, [2.5, 3.5]),
        (None, DAYS[1], [1.5, 2.5]),
        (DAYS[1], DAYS[1], [2.5]),
        (date(2030, 1, 1), None, []),
    ],
)
def test_only_the_days_asked_for_are_read_both_ends_included(reader, first, last, values):
    assert sorted(reader.rows(READINGS, ["value"], first, last)["value"]) == values


def test_only_the_meter_asked_for_is_read(lake, write_table, reader):
    other = reader.rows(READINGS).assign(meter="b", value=9.0)
    write_table(lake, READINGS, other)
    assert reader.rows(READINGS, ["value"], DAYS[1], meters=["b"])["value"].tolist() == [9.0, 9.0]


def test_a_day_has_other_files_once_something_was_written_to_it(lake, write_table, reader):
    before = reader.day_files(READINGS)
    assert sorted(before.files) == DAYS
    rows = reader.rows(READINGS, first=DAYS[1], last=DAYS[1])
    write_table(lake, READINGS, rows.assign(meter="b"))
    after = reader.day_files(READINGS)
    assert after.version == before.version + 1
    changed = [day for day in DAYS if after.files[day] != before.files[day]]
    assert changed == [DAYS[1]]
    assert reader.day_files(REJECTS).version == -1


def test_the_span_is_from_the_least_to_the_largest_instant(lake, write_table, reader):
    ends = tuple(pd.Timestamp(f"{day}T13:05:00Z") for day in (DAYS[0], DAYS[2]))
    assert reader.span(READINGS, "event_time") == ends
    later = pd.Timestamp("2024-03-07T23:55:00Z")
    frame = pd.DataFrame({"meter": ["b"], "event_time": [later], "event_date": [DAYS[2]]})
    write_table(lake, READINGS, frame.assign(value=1.0))
    assert reader.span(READINGS, "event_time") == (ends[0], later)


def test_a_table_without_a_row_or_none_at_all_has_no_span(lake, write_table):
    assert LakeReader(lake).span(READINGS, "event_time") is None
    times = pd.Series(dtype="datetime64[ns, UTC]")
    frame = pd.DataFrame({"event_time": times, "event_date": pd.Series(dtype=object)})
    write_table(lake, READINGS, frame)
    assert LakeReader(lake).span(READINGS, "event_time") is None


def test_sql_over_the_tables_answers_in_utc(reader):
    rows = reader.query("SELECT max(event_time) AS t, sum(value) AS s FROM readings").to_pylist()
    assert rows[0]["s"] == 7.5
    assert rows[0]["t"].isoformat() == "2024-03-07T13:05:00+00:00"
    hours = reader.query("SELECT DISTINCT hour(event_time) AS h FROM readings").to_pylist()
    assert hours == [{"h": 13}]


def test_a_statement_without_rows_gives_none(reader):
    assert reader.query("SELECT * FROM readings WHERE value > 9").num_rows == 0


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEKT 1", "syntax error"),
        ("SELECT x FROM readings", '"x" not found'),
        ("SELECT * FROM rejects", "rejects does not exist"),
        ("SELECT CAST('x' AS INT)", "Could not convert"),
        ("SELECT value / 0 FROM readings WHERE\n\nvalue ==> 1", ""),
        ("SELECT * FROM rejects", "Tables: readings"),
        ("", "expected one statement, got 0"),
        ("SELECT 1; SELECT 2", "expected one statement, got 2"),
        ("CREATE TABLE mine AS SELECT 1", "CREATE is not allowed; expected a SELECT"),
        ("DROP VIEW readings", "DROP is not allowed; expected a SELECT"),
        ("SELECT * FROM range(1e12::BIGINT)", "more than 5,000,000 rows; add a WHERE or a LIMIT"),
    ],
)
def test_wrong_sql_is_one_line_that_says_what_is_wrong(reader, sql, says):
    with pytest.raises(LakeError) as caught:
        reader.query(sql)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    assert says in message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/written'",
        "EXPORT DATABASE '{folder}/written'",
        "ATTACH '{folder}/written' AS other",
        "SET enable_external_access = true; SELECT * FROM read_csv('{file}')",
        "RESET enable_external_access; SELECT * FROM read_csv('{file}')",
        "INSTALL httpfs",
        "LOAD '{file}'",
        "SELECT * FROM secret",
    ],
)
def test_sql_can_neither_read_nor_write_other_files(reader, tmp_path, sql):
    secret = tmp_path / "secret.csv"
    secret.write_text("name,word\nroot,hunter2\n")
    with pytest.raises(LakeError):
        reader.query(sql.format(file=secret, folder=tmp_path))
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    "sql",
    [
        "WITH one AS (SELECT * FROM readings) SELECT * FROM one",
        "DESCRIBE readings",
        "SHOW TABLES",
        "EXPLAIN SELECT * FROM readings",
        "FROM readings",
        "PIVOT readings ON meter USING sum(value)",
        "SUMMARIZE readings;",
    ],
)
def test_every_way_to_ask_is_answered(reader, sql):
    assert reader.query(sql).num_rows > 0


def test_sql_cannot_change_a_table(reader):
    with pytest.raises(LakeError):
        reader.query("INSERT INTO readings SELECT * FROM readings")
    with pytest.raises(LakeError):
        reader.query("DELETE FROM readings")
    assert reader.state(READINGS).rows == 3


def test_the_history_is_newest_first_and_as_long_as_asked(lake, write_table):
    for number in range(3):
        frame = pd.DataFrame({"meter": ["a"], "event_date": [DAYS[number]]})
        write_table(lake, USAGE_HOURLY, frame, notes=json.dumps({"n": number}))
    notes = [json.loads(c["userMetadata"])["n"] for c in LakeReader(lake).history(USAGE_HOURLY, 2)]
    assert notes == [2, 1]
