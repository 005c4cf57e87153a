"""Tables made without a JVM are those that Spark would make."""

import json

import pytest
from deltalake import DeltaTable

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import ALL_TABLES, PROPERTIES, READINGS, Lake


def _made(lake: Lake, table) -> dict:
    delta = DeltaTable(lake.table(table))
    metadata, protocol = delta.metadata(), delta.protocol()
    return {
        "columns": json.loads(delta.schema().to_json()),
        "partitions": metadata.partition_columns,
        "properties": metadata.configuration,
        "protocol": (protocol.min_reader_version, protocol.min_writer_version),
    }


@pytest.mark.spark
@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)
def test_a_table_is_what_spark_makes_of_its_columns(spark, tmp_path, table):
    ours, sparks = Lake(str(tmp_path / "ours")), Lake(str(tmp_path / "sparks"))
    create_tables(ours, [table])
    versions = {"delta.minReaderVersion": "1", "delta.minWriterVersion": "2"}
    properties = ", ".join(f"'{k}' = '{v}'" for k, v in {**PROPERTIES, **versions}.items())
    spark.sql(
        f"CREATE TABLE {sparks.sql(table)} ({table.columns}) USING DELTA "
        f"PARTITIONED BY ({table.partition}) TBLPROPERTIES ({properties})"
    )
    assert _made(ours, table) == _made(sparks, table)


def test_tables_that_are_there_are_left_alone(lake):
    create_tables(lake)
    before = LakeReader(lake).state(READINGS)
    create_tables(lake)
    assert LakeReader(lake).state(READINGS) == before
    assert before.version == 0


def test_a_lake_where_nothing_can_be_made_is_told_in_one_line(tmp_path):
    (tmp_path / "lake").write_text("a file")
    with pytest.raises(LakeError, match=r"readings: cannot be used \(.*\); expected a folder"):
        create_tables(Lake(str(tmp_path / "lake")))
