"""A lake on S3 through a kill, an outage and a backfill, by the judge of lakes on a disk."""

import json
import os
from functools import partial

import boto3
import pytest
from deltalake import DeltaTable

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import (
    READINGS,
    TABLES,
    USAGE_HOURLY,
    Lake,
)
from usage_platform.adapters.spark.session import SparkFailedError, remote_session
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform.local.jars import ensure_jars
from usage_platform.services.backfill import recompute_days
from usage_platform.services.progress import lag_into_lake
from usage_platform_tests.adapters.lake.test_s3_away import SAYS_WHAT_TO_DO
from usage_platform_tests.conftest import DATA_DIR
from usage_platform_tests.s3_server import BUCKET, running_s3
from usage_platform_tests.terraform.terraform_command import SOURCE
from usage_platform_tests.tools.faults.batch_to_cut import AFTER_READINGS, apply_until_the_lake_goes
from usage_platform_tests.tools.faults.cuts import Cut
from usage_platform_tests.tools.faults.rounds_of_spark import PART, SparkRounds
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.tables import judged_rows

pytestmark = [pytest.mark.aws, pytest.mark.kafka, pytest.mark.spark]

# Delta's names of types where Glue's are others.
IN_CATALOG = {"integer": "int", "long": "bigint"}
REGISTRY = MeterRegistry(Meter("library"))


@pytest.fixture(scope="module")
def s3(unused_port, tmp_path_factory):
    with running_s3(tmp_path_factory.mktemp("s3"), unused_port) as server:
        yield server


@pytest.fixture(scope="module")
def services(java, s3, tmp_path_factory):
    jars = ensure_jars(DATA_DIR / "jars", java, os.environ, print, lambda _: None, for_aws=True)
    folder = tmp_path_factory.mktemp("on-s3")
    with Services(java, jars, folder, Lake(f"s3://{BUCKET}/lake")) as services:
        yield services


@pytest.fixture(scope="module")
def rounds(services):
    return SparkRounds(services)


@pytest.fixture(scope="module")
def killed(rounds):
    """Spark was killed within a micro-batch, and has done it again."""
    return rounds.play(Cut(PART, AFTER_READINGS))


def test_a_kill_within_a_batch_leaves_nothing_lost_doubled_or_wrong(killed):
    assert killed.findings.lines == []


def test_an_s3_that_goes_away_within_a_batch_is_told_and_nothing_is_lost_when_it_is_back(
    s3, rounds, killed
):
    said, findings = rounds.without_lake(partial(apply_until_the_lake_goes, s3.pid), s3.start)
    assert said.startswith("Spark: s3://lake/lake/deltalake/readings: cannot be reached (")
    assert SAYS_WHAT_TO_DO in said
    assert said.endswith(
        "; what was not written does not count as done, and the next run tries it again; details "
        "are in Spark's log (on this machine logs/spark.log in the data folder)"
    )
    assert "\n" not in said
    assert findings.lines == []


def test_a_backfill_mends_hours_that_were_lost(services, killed):
    reader = LakeReader(services.lake)
    hours, days = reader.rows(USAGE_HOURLY, HOURLY_COLUMNS), reader.rows(READINGS)["event_date"]
    with remote_session(services.spark_url) as spark:
        spark.sql(f"DELETE FROM {services.lake.sql(USAGE_HOURLY)} WHERE hour(start) % 2 = 0")
        assert 0 < reader.state(USAGE_HOURLY).rows < len(hours)
        recompute_days(spark, services.lake, REGISTRY, days.min(), days.max())
    expected = hourly_from_readings(reader.rows(READINGS), REGISTRY)
    mended = reader.rows(USAGE_HOURLY, HOURLY_COLUMNS)
    assert judged_rows("usage_hourly", expected, mended, 2).lines == []
    assert len(mended) == len(hours)


def test_what_the_catalog_says_of_a_table_is_so_in_the_lake(services, killed, aws_endpoint):
    # As terraform/catalog.tf does it, which a test of its own holds against the code.
    glue, name = boto3.client("glue", endpoint_url=aws_endpoint), "usage_platform"
    glue.create_database(DatabaseInput={"Name": name})
    catalog = json.loads((SOURCE / "lake_tables.json").read_text("utf-8"))
    for table in TABLES:
        place = {"Columns": catalog[table.name], "Location": services.lake.table(table)}
        place["Columns"] = [
            {key.capitalize(): value for key, value in column.items()}
            for column in place["Columns"]
        ]
        table_input = {"Name": table.name, "StorageDescriptor": place}
        glue.create_table(DatabaseName=name, TableInput=table_input)
    found = glue.get_tables(DatabaseName=name)["TableList"]
    assert len(found) == len(TABLES)
    for table in found:
        stored = table["StorageDescriptor"]
        fields = DeltaTable(stored["Location"]).schema().fields
        there = [(field.name, IN_CATALOG.get(field.type.type, field.type.type)) for field in fields]
        assert there == [(column["Name"], column["Type"]) for column in stored["Columns"]]


def test_what_spark_says_of_a_bucket_that_is_not_there_is_one_line(services):
    table = Lake("s3://no-such-bucket-anywhere/lake").sql(READINGS)
    with (
        pytest.raises(
            SparkFailedError, match=r"^Spark cannot use the lake .+bucket.+: check"
        ) as said,
        remote_session(services.spark_url) as spark,
    ):
        spark.sql(f"SELECT count(*) FROM {table}").collect()
    assert "\n" not in str(said.value)


def test_progress_and_tables_there_are_read_without_spark(services, killed):
    reader = LakeReader(services.lake)
    assert lag_into_lake(reader, services.kafka, USAGE, REGISTRY).events == 0
    assert {reader.state(table).reader_version for table in TABLES} == {1}
    counted = reader.query("SELECT count(*) AS n FROM readings")["n"].to_pylist()
    assert counted == [len(reader.rows(READINGS))]
