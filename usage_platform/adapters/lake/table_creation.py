"""Creates the lake's tables, and adds columns that an older version did not have; without a JVM.

Belongs here: the first commit of a table, and added columns. Not here: which tables there are
(`tables`), or rows (`row_writer`).
"""

from collections.abc import Sequence

from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType

from usage_platform.adapters.lake.delta_tables import open_table
from usage_platform.adapters.lake.errors import lake_errors_in_one_line
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
    """Create missing tables, and add columns that an older version did not have.

    The comments of existing columns stay as they are. Only the holder of the writer's lease may
    call it.

    Raises:
        LakeError: In one line, when the lake cannot be reached, read or written.
    """
    reader = LakeReader(lake)
    for table in tables:
        schema = delta_schema(table)
        location = lake.table(table)
        if not reader.exists(table):
            with lake_errors_in_one_line(location):
                DeltaTable.create(
                    location,
                    schema=schema,
                    mode="ignore",
                    partition_by=[table.partition],
                    configuration=dict(PROPERTIES),
                )
            continue
        with lake_errors_in_one_line(location):
            delta = open_table(lake, table)
            present = {field.name for field in delta.schema().fields}
            missing = [field for field in schema.fields if field.name not in present]
            if missing:
                delta.alter.add_columns(missing)


def delta_schema(table: LakeTable) -> Schema:
    """The columns of a table with their types, as Delta knows them."""
    return Schema([_field(column) for column in table.schema])


def _field(column: Column) -> Field:
    metadata = {"comment": column.comment} if column.comment else None
    return Field(column.name, PrimitiveType(_TYPES[column.spark_type]), metadata=metadata)
