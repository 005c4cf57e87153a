"""SQL over the lake's tables by Amazon Athena, for a lake that Glue's catalog knows.

Belongs here: running a query there and reading its rows, with the types that Athena names. Not
here: the same on the tables' files (`lake_reader`), the catalog itself (`terraform/`).

By PyAthena, and not by the Athena client of dagster-aws: that one gives every value as text and a
missing one as an empty text, knows no database, reads all rows before the first can be counted,
and leaves a query running, and costing, that its user has interrupted.
"""

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from usage_platform.adapters.lake.errors import LakeError, one_line
from usage_platform.adapters.lake.query_limits import MOST_ROWS, not_a_read, too_many_rows

if TYPE_CHECKING:
    from pyathena.converter import Converter
    from pyathena.cursor import Cursor

# Athena takes one statement at a time, so that its first word says what it does.
_BEGIN = re.compile(
    r"(?:\s|\(|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*"
    r"(?:explain\s+(?:analyze\s+)?(?:\([^)]*\)\s*)?)?\(*\s*(?P<word>\w*)",
    re.IGNORECASE | re.DOTALL,
)
_READS = {"SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC"}

_TYPES = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    # As text 0.1 is 0.1; with the few digits of 32 bits it would be 0.10000000149011612.
    "float": pa.float64(),
    "real": pa.float64(),
    "double": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "varbinary": pa.binary(),
}
# Kept as Athena writes them.
_AS_TEXT = ("array", "map", "row", "json", "time with time zone")

_ROWS_AT_ONCE = 50_000
_WHAT_TO_CHECK = (
    "check AWS_REGION, the AWS credentials and USAGE_ATHENA_WORKGROUP; without "
    "USAGE_ATHENA_WORKGROUP and USAGE_ATHENA_DATABASE the lake's own files are read"
)


@dataclass(frozen=True)
class Athena:
    """Where queries are run.

    Attributes:
        workgroup: Says where results go, and how much a query may read.
        database: Glue's, with the lake's tables.
    """

    workgroup: str
    database: str

    def query(self, sql: str) -> pa.Table:
        """Run SQL over the tables by their names; Ctrl-C stops the query at Athena too.

        Returns:
            The rows. Instants (`timestamp with time zone`) are UTC, a `timestamp` has no zone;
            arrays, maps and rows are text.

        Raises:
            LakeError: In one line, when the statement does not read, Athena cannot be asked or
                refuses, or there are more rows than fit.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from pyathena import connect
        from pyathena.error import Error

        _check_reads(sql)
        # It logs with a stack trace what it raises as well.
        logging.getLogger("pyathena").setLevel(logging.CRITICAL)
        try:
            connection = connect(
                work_group=self.workgroup,
                schema_name=self.database,
                config=_patience(),
                converter=_converter(),
            )
            with connection, connection.cursor() as cursor:
                return _rows(cursor.execute(sql))
        except (Error, BotoCoreError, ClientError) as error:
            raise LakeError(self._told(error)) from None

    def _told(self, error: Exception) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        cause = error.__cause__ or error
        if not isinstance(cause, (BotoCoreError, ClientError)):
            return f"query: {one_line(str(error))}"
        said = f"query: Athena's workgroup {self.workgroup}: {one_line(str(cause))}"
        refused = isinstance(cause, ClientError) and cause.response["Error"]["Code"]
        # Of the statement or of the workgroup, which the line names.
        return said if refused == "InvalidRequestException" else f"{said}; {_WHAT_TO_CHECK}"


def _check_reads(sql: str) -> None:
    begin = _BEGIN.match(sql)
    word = begin["word"].upper() if begin else ""
    if not word:
        raise LakeError("query: expected one statement, got none")
    if word not in _READS:
        raise not_a_read(word)


def _patience() -> Any:  # noqa: ANN401 - botocore has no types
    """A silent Athena is given up within a minute; a query may take as long as Athena lets it."""
    from botocore.config import Config

    tries = {"total_max_attempts": 3, "mode": "standard"}
    return Config(connect_timeout=5, read_timeout=15, retries=tries)


def _converter() -> "Converter":
    from pyathena.converter import DefaultTypeConverter

    converter = DefaultTypeConverter()
    for kind in _AS_TEXT:
        converter.remove(kind)
    return converter


def _rows(cursor: "Cursor") -> pa.Table:
    """All rows, as long as they fit; page by page, so that few are Python objects at a time."""
    columns = cursor.description or []
    schema = pa.schema([(name, _type(kind, *size)) for name, kind, _, _, *size, _ in columns])
    pages, rows = [schema.empty_table()], 0
    while page := cursor.fetchmany(_ROWS_AT_ONCE):
        rows += len(page)
        if rows > MOST_ROWS:
            raise too_many_rows()
        values = zip(*page, strict=True)
        arrays = [
            pa.array(column, field.type) for column, field in zip(values, schema, strict=True)
        ]
        pages.append(pa.Table.from_arrays(arrays, schema=schema))
    return pa.concat_tables(pages)


def _type(kind: str, precision: int, scale: int) -> pa.DataType:
    if kind == "decimal":
        return pa.decimal128(precision, scale)
    return _TYPES.get(kind, pa.string())
