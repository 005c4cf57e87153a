"""A lake on an S3 that refuses, falls silent, goes away and comes back: SeaweedFS, a real one."""

import time
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from click.testing import CliRunner
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from usage_platform.adapters.lake import delta_tables
from usage_platform.adapters.lake import reader as lake_reader
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.lease import LakeAwayError, Lease, writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.lease_renewer import LeaseRenewer
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.adapters.spark.session import SparkFailedError, failing_in_one_line
from usage_platform.console.cli import main
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.s3_server import BUCKET, as_in_a_new_process, running_s3
from usage_platform_tests.topics import until

pytestmark = pytest.mark.aws

LAKE = Lake(f"s3://{BUCKET}/lake")
ME = Holder("here", "/data")
DAY = date(2024, 3, 5)
SAYS_WHAT_TO_DO = "check the bucket's name, the AWS credentials, AWS_REGION and AWS_ENDPOINT_URL"


@pytest.fixture(scope="module")
def s3(unused_port, tmp_path_factory):
    """The server with a lake on it: one reading, and a file."""
    with running_s3(tmp_path_factory.mktemp("s3"), unused_port) as server:
        reading = {"meter": ["a"], "event_date": [DAY], "value": [487.2]}
        table_writer(LAKE, READINGS, pd.DataFrame(reading))
        LakeFiles(LAKE.assets).write_text("labels.json", "[]")
        yield server


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    as_in_a_new_process(monkeypatch)


def told(what, *args) -> str:
    with pytest.raises(LakeError) as caught:
        what(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def everything(s3):
    """All that reads or writes the lake without Spark, with the bucket found while all was well."""
    reader, files = LakeReader(LAKE), LakeFiles(LAKE.assets)
    assert reader.exists(READINGS)
    return {
        "table": lambda: reader.state(READINGS),
        "rows": lambda: reader.rows(READINGS),
        "history": lambda: reader.history(READINGS, 1),
        "query": lambda: reader.query("SELECT * FROM readings"),
        "read": lambda: files.read_text("labels.json"),
        "list": lambda: files.names(""),
        "write": lambda: files.write_text("labels.json", "[1]"),
    }


def test_wrong_credentials_are_told_by_whatever_asks(everything, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    said = {name: told(ask) for name, ask in everything.items()}
    for name, line in said.items():
        assert SAYS_WHAT_TO_DO in line, name
        assert "guessed" not in line
    assert "SignatureDoesNotMatch: The request signature we calculated" in said["table"]


def test_wrong_credentials_are_told_at_the_first_question_and_to_the_lease(s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    said = told(LakeFiles, LAKE.assets)
    assert said.startswith(f"{LAKE.assets}: cannot be reached (")
    assert "Forbidden" in said
    with pytest.raises(LakeAwayError, match=r"^the lake .+ cannot be reached \(.+Signature.+\)"):
        writer_lease(LAKE, ME).take()


def test_a_bucket_that_is_not_there_is_told_and_is_no_empty_lake(s3):
    said = told(LakeReader(Lake("s3://typo/lake")).state, READINGS)
    assert said.startswith("s3://typo/lake: cannot be reached (")
    assert "Not Found" in said
    assert SAYS_WHAT_TO_DO in said


def test_what_goes_away_is_told_and_is_all_there_when_it_comes_back(s3, everything):
    s3.stop()
    try:
        for name, ask in everything.items():
            assert SAYS_WHAT_TO_DO in told(ask), name
        assert "Connection refused" in told(everything["table"])
    finally:
        s3.start()
    assert everything["read"]() == "[]"
    assert everything["rows"]()["value"].tolist() == [487.2]
    everything["write"]()
    assert everything["list"]() == ["labels.json"]
    assert everything["read"]() == "[1]"


def test_one_that_goes_away_within_a_query_is_told(s3, monkeypatch):
    reader = LakeReader(LAKE)
    monkeypatch.setattr(lake_reader, "check_reads", lambda _: s3.stop())
    try:
        assert SAYS_WHAT_TO_DO in told(reader.query, "SELECT * FROM readings")
    finally:
        s3.start()


def test_one_that_falls_silent_is_given_up_and_asked_again_later(s3, everything, monkeypatch):
    assert {"timeout", "retry_timeout"} <= delta_tables._PATIENCE.keys()
    soon = {**delta_tables._PATIENCE, "timeout": "300ms", "retry_timeout": "300ms"}
    monkeypatch.setattr(delta_tables, "_PATIENCE", soon)
    with s3.stalled():
        for name in ("table", "rows", "query"):
            assert "timed out" in told(everything[name])
    assert everything["rows"]()["value"].tolist() == [487.2]


def is_taken(lease: Lease) -> bool:
    try:
        lease.take()
    except LakeAwayError:
        return False
    return True


def test_a_lease_outlives_a_server_that_was_away_for_a_moment(s3):
    lost = []
    lease = writer_lease(LAKE, ME)
    with LeaseRenewer(lease, lambda: lost.append(datetime.now(UTC)), every=0.05) as kept:
        s3.stop()
        with pytest.raises(LakeAwayError):
            lease.take()
        s3.start()
        # A server that has just started may keep a first request waiting.
        until(lambda: is_taken(lease))
        time.sleep(0.1)
        kept.check()
    assert not lost


@pytest.fixture
def console(s3, tmp_path):
    def run(*args: str, **env: str) -> tuple[int, str]:
        settings = {"USAGE_DATA": str(tmp_path), "USAGE_LAKE": LAKE.root, **env}
        done = CliRunner().invoke(main, args, env=settings)
        return done.exit_code, done.output

    return run


def test_a_query_ends_in_one_line_that_says_what_to_do(console):
    code, said = console("query", "SELECT * FROM readings", AWS_SECRET_ACCESS_KEY="guessed")
    assert code == 1
    assert said.startswith(f"Error: {LAKE.root}: cannot be reached (")
    assert said.count("\n") == 1


def test_the_status_shows_what_else_there_is(console):
    code, said = console("status", AWS_SECRET_ACCESS_KEY="guessed")
    assert code == 0
    assert "Services" in said
    assert f"Lake: {LAKE.root}: cannot be reached" in said


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        (
            Py4JError,  # Of a session of one's own.
            "An error occurred while calling o66.sql.\n: java.net.ConnectException: getFileStatus "
            "on s3a://lake/_delta_log: software.amazon.awssdk.core.exception.SdkClientException: "
            "Unable to execute HTTP request: Connect to 127.0.0.1:1 [/127.0.0.1] failed: "
            "Connection refused (SDK Attempt Count: 3):    software.amazon.awssdk.core.exception."
            "SdkClientException: Unable to execute HTTP request: Connection refused\n\tat java",
            "Unable to execute HTTP request: Connect to 127.0.0.1:1 [/127.0.0.1] failed: "
            "Connection refused",
        ),
        (
            PySparkException,
            "(java.nio.file.AccessDeniedException) s3a://lake/_delta_log: getFileStatus on "
            "s3a://lake/_delta_log: software.amazon.awssdk.services.s3.model.S3Exception: The "
            "request signature we calculated does not match the signature you provided. (Service: "
            "S3, Status Code: 403, Request ID: 1)",
            "The request signature we calculated does not match the signature you provided.",
        ),
    ],
)
def test_what_sparks_client_of_s3_says_is_one_line_that_says_what_to_do(kind, said, reason):
    with pytest.raises(SparkFailedError) as told, failing_in_one_line():
        raise kind(said)
    assert str(told.value).startswith(f"Spark cannot use the lake ({reason}): {SAYS_WHAT_TO_DO}")
    assert str(told.value).endswith("does not count as done, and the next run tries it again")
    assert "\n" not in str(told.value)
