"""Queries by Athena: a double of it gives the rows, and stops queries, as Amazon's does."""

import json
import os
import signal
import threading
from datetime import UTC, date, datetime, time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import boto3
import pyarrow as pa
import pytest
import requests
from click.testing import CliRunner

from usage_platform.adapters.aws.athena import Athena
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.console.cli import main
from usage_platform_tests.aws_double import environment
from usage_platform_tests.topics import until

pytestmark = pytest.mark.aws

# A row for each type: its name, the text that Athena gives, what it means.
VALUES = [
    ("varchar", 'a, "b"\nc', 'a, "b"\nc', pa.string()),
    ("boolean", "true", True, pa.bool_()),
    ("integer", "12", 12, pa.int32()),
    ("bigint", "9007199254740993", 9007199254740993, pa.int64()),
    ("double", "487.2", 487.2, pa.float64()),
    ("float", "0.1", 0.1, pa.float64()),
    ("decimal", "12.50", Decimal("12.50"), pa.decimal128(38, 2)),
    ("date", "2024-03-10", date(2024, 3, 10), pa.date32()),
    ("time", "07:05:00.000", time(7, 5), pa.time64("us")),
    (
        "timestamp",
        "2024-03-10 07:05:00.000",
        datetime.fromisoformat("2024-03-10T07:05"),
        pa.timestamp("us"),
    ),
    (
        "timestamp with time zone",
        "2024-03-10 07:05:00.000 UTC",
        datetime(2024, 3, 10, 7, 5, tzinfo=UTC),
        pa.timestamp("us", "UTC"),
    ),
    (
        "timestamp with time zone",
        "2024-11-03 01:30:00.000 -05:00",
        datetime(2024, 11, 3, 6, 30, tzinfo=UTC),
        pa.timestamp("us", "UTC"),
    ),
    ("varbinary", "7b 7d", b"{}", pa.binary()),
    ("array", "[1, 2]", "[1, 2]", pa.string()),
]


@pytest.fixture
def athena(aws_endpoint, monkeypatch) -> Athena:
    """A workgroup of its own on the double."""
    for name, value in environment(aws_endpoint).items():
        monkeypatch.setenv(name, value)
    name = f"group-{uuid4().hex}"
    boto3.client("athena").create_work_group(Name=name, Configuration={})
    return Athena(name, "usage_platform")


@pytest.fixture
def answer(aws_endpoint):
    """Choose the rows of the next query: types and texts, a row of names before them."""

    def choose(kinds: dict[str, str], *rows: list[str | None]) -> None:
        columns = [
            {"Name": name, "Label": name, "Type": kind, "Precision": 38, "Scale": 2}
            | {"Nullable": "UNKNOWN", "CaseSensitive": False, "CatalogName": "hive"}
            for name, kind in kinds.items()
        ]
        told = [
            {"Data": [{} if text is None else {"VarCharValue": text} for text in row]}
            for row in [list(kinds), *rows]
        ]
        results = {"results": [{"rows": told, "column_info": columns}]}
        chosen = f"{aws_endpoint}/moto-api/static/athena/query-results"
        assert requests.post(chosen, json=results, timeout=60).status_code == 201

    return choose


def told(what, *args) -> str:
    with pytest.raises(LakeError) as caught:
        what(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_type_comes_as_what_it_means_and_what_is_missing_as_none(athena, answer):
    kinds = {f"c{number}": kind for number, (kind, *_) in enumerate(VALUES)}
    answer(kinds, [text for _, text, *_ in VALUES], [None] * len(VALUES))
    rows = athena.query("SELECT * FROM readings")
    assert [field.type for field in rows.schema] == [kind for *_, kind in VALUES]
    first, second = (list(row.values()) for row in rows.to_pylist())
    assert first == [meaning for _, _, meaning, _ in VALUES]
    assert second == [None] * len(VALUES)


def test_a_result_without_a_row_has_its_columns_and_their_types(athena, answer):
    answer({"start": "timestamp with time zone", "kw": "double"})
    rows = athena.query("SELECT start, kw FROM usage_hourly WHERE false")
    assert rows.schema.types == [pa.timestamp("us", "UTC"), pa.float64()]
    assert rows.num_rows == 0


def test_two_columns_of_one_name_are_both_there(athena, answer, monkeypatch):
    # Three rows in two pages.
    monkeypatch.setattr("usage_platform.adapters.aws.athena._ROWS_AT_ONCE", 2)
    answer({"n": "integer", "N": "integer"}, ["1", "2"], ["3", "4"], ["5", None])
    assert athena.query("SELECT 1").columns[1].to_pylist() == [2, 4, None]


def test_more_rows_than_fit_are_told(athena, answer, monkeypatch):
    monkeypatch.setattr("usage_platform.adapters.aws.athena.MOST_ROWS", 2)
    monkeypatch.setattr("usage_platform.adapters.aws.athena._ROWS_AT_ONCE", 2)
    answer({"n": "integer"}, ["1"], ["2"])
    assert athena.query("SELECT n FROM readings").num_rows == 2
    answer({"n": "integer"}, ["1"], ["2"], ["3"])
    assert "rows; add a WHERE or a LIMIT" in told(athena.query, "SELECT n FROM readings")


def test_a_workgroup_that_is_not_there_is_named(athena):
    said = told(Athena("no-such-group", "usage_platform").query, "SELECT 1")
    assert said.startswith("query: Athena's workgroup no-such-group: ")
    assert said.endswith("WorkGroup does not exist")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("", "expected one statement, got none"),
        ("-- nothing", "expected one statement, got none"),
        ("UNLOAD (SELECT 1) TO 's3://lake/deltalake/readings/'", "UNLOAD is not allowed"),
        ("/* SELECT */ -- SELECT\n drop TABLE readings", "DROP is not allowed; expected a SEL"),
        ("EXPLAIN ANALYZE (FORMAT JSON) INSERT INTO readings SELECT 1", "INSERT is not allowed"),
    ],
)
def test_a_statement_that_does_not_read_never_reaches_athena(athena, sql, says):
    assert says in told(athena.query, sql)
    asked = boto3.client("athena").list_query_executions(WorkGroup=athena.workgroup)
    assert asked["QueryExecutionIds"] == []


@pytest.mark.parametrize(
    "sql",
    [
        "(SELECT 1)",
        "WITH one AS (SELECT 1) SELECT * FROM one",
        "-- all\nselect 1",
        "EXPLAIN (TYPE LOGICAL) SELECT 1",
        "explain analyze select 1",
        "SHOW TABLES",
        "DESCRIBE readings",
    ],
)
def test_every_way_to_read_reaches_athena(athena, answer, sql):
    answer({"a": "varchar"}, ["x"])
    assert athena.query(sql)["a"].to_pylist() == ["x"]


def test_ctrl_c_stops_the_query_at_athena_too(athena, aws_endpoint):
    client = boto3.client("athena")
    manager = f"{aws_endpoint}/moto-api/state-manager"
    execution = {"model_name": "athena::execution"}
    endless = execution | {"transition": {"progression": "manual", "times": 1000}}
    started: list[str] = []

    def interrupt() -> None:
        def has_begun() -> bool:
            found = client.list_query_executions(WorkGroup=athena.workgroup)
            started.extend(found["QueryExecutionIds"])
            return bool(started)

        until(has_begun)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    requests.post(f"{manager}/set-transition", json=endless, timeout=60).raise_for_status()
    try:
        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            athena.query("SELECT count(*) FROM readings")
        thread.join()
    finally:
        requests.post(f"{manager}/unset-transition", json=execution, timeout=60)
        signal.signal(signal.SIGINT, before)
    status = client.get_query_execution(QueryExecutionId=started[0])["QueryExecution"]["Status"]
    assert status["State"] == "CANCELLED"


class _FailedQueries(BaseHTTPRequestHandler):
    """Athena where each query fails: the double has none that does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        reason = "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved\n(and more)"
        failed = {"State": "FAILED", "StateChangeReason": reason}
        body = {
            "AmazonAthena.StartQueryExecution": {"QueryExecutionId": "1"},
            "AmazonAthena.GetQueryExecution": {
                "QueryExecution": {"QueryExecutionId": "1", "Query": "SELECT x", "Status": failed}
            },
        }[self.headers["X-Amz-Target"]]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


def test_a_query_that_fails_is_one_line_with_athenas_reason(athena, monkeypatch):
    with HTTPServer(("127.0.0.1", 0), _FailedQueries) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        said = told(athena.query, "SELECT x FROM readings")
        server.shutdown()
    assert said == "query: COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"


@pytest.fixture
def console(athena, tmp_path):
    """Run `usage-platform query` there; its exit code, and all that it says."""

    def run(*args: str, **env: str) -> tuple[int, str]:
        settings = {
            "USAGE_DATA": str(tmp_path),
            "USAGE_ATHENA_WORKGROUP": athena.workgroup,
            "USAGE_ATHENA_DATABASE": athena.database,
        }
        done = CliRunner().invoke(main, ("query", *args), env=settings | env)
        return done.exit_code, done.output

    return run


def test_the_command_asks_athena_where_the_settings_name_it(console, answer):
    kinds = {"start": "timestamp with time zone", "avg_usage": "double", "n": "integer"}
    hour = ["2024-03-10 07:00:00.000 UTC", "487.2", "12"]
    sql = "SELECT start, avg_usage, n FROM usage_hourly"
    answer(kinds, hour, [*hour[:2], None])
    code, csv = console(sql, "--format", "csv")
    assert (code, csv.splitlines()) == (
        0,
        [
            "start,avg_usage,n",
            "2024-03-10T07:00:00+0000,487.2,12",
            "2024-03-10T07:00:00+0000,487.2,",
        ],
    )
    answer(kinds, hour)
    code, line = console(sql, "--format", "json")
    assert json.loads(line) == {"start": "2024-03-10T07:00:00+00:00", "avg_usage": 487.2, "n": 12}


def test_an_athena_that_cannot_be_asked_is_one_line_that_says_what_to_do(console):
    code, said = console("SELECT 1", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert code == 1
    assert said.startswith("Error: query: Athena's workgroup ")
    assert "Could not connect" in said
    assert "USAGE_ATHENA_WORKGROUP" in said
    assert said.count("\n") == 1
