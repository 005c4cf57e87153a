"""Making the lake's tables, and the columns that an older version did not have; without a JVM.

Belongs here: the first commit of a table, and added columns. Not here: what tables there are
(`lake_tables`), or rows; the Spark service writes all of those. Spark could do this too, in seconds
of a processor in place of milliseconds, and it is asked for at each run.
"""

from collections.abc import Sequence

from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType

from usage_platform.adapters.lake.errors import told_in_one_line
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import PROPERTIES, TABLES, Column, Lake, LakeTable

_TYPES = {
    "BIGINT": "long",
    "BINARY": "binary",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double",
    "INT": "integer",
    "STRING": "string",
    "TIMESTAMP": "timestamp",
}


def create_tables(lake: Lake, tables: Sequence[LakeTable] = TABLES) -> None:
    """Make the tables that are missing, and the columns that an older version did not have.

    Only the holder of the writer's lease may call it.

    Raises:
        LakeError: In one line, when the lake cannot be reached, read or written.
    """
    reader = LakeReader(lake)
    for table in tables:
        fields = [_field(column) for column in table.schema]
        place = lake.table(table)
        if not reader.exists(table):
            with told_in_one_line(place):
                DeltaTable.create(
                    place,
                    schema=Schema(fields),
                    mode="ignore",
                    partition_by=[table.partition],
                    configuration=dict(PROPERTIES),
                )
            continue
        with told_in_one_line(place):
            delta = DeltaTable(place)
            there = {field.name for field in delta.schema().fields}
            missing = [field for field in fields if field.name not in there]
            if missing:
                delta.alter.add_columns(missing)


def _field(column: Column) -> Field:
    metadata = {"comment": column.comment} if column.comment else None
    return Field(column.name, PrimitiveType(_TYPES[column.spark_type]), metadata=metadata)
