"""SQL over the lake's tables by Amazon Athena, for a lake that Glue's catalog knows.

Belongs here: running a query there and reading its rows. Not here: the same on the tables' files
(`lake_reader`), the catalog itself (`terraform/`).
"""

from dataclasses import dataclass

import pyarrow as pa

from usage_platform.adapters.lake_errors import LakeError, one_line
from usage_platform.adapters.lake_reader import MOST_ROWS


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
        """Run SQL over the tables by their names.

        Raises:
            LakeError: In one line, when Athena cannot be asked, refuses, or gives more rows than
                fit.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from pyathena import connect
        from pyathena.error import Error

        try:
            connection = connect(work_group=self.workgroup, schema_name=self.database)
            with connection.cursor() as cursor:
                cursor.execute(sql)
                names = [column[0] for column in cursor.description or []]
                rows = cursor.fetchmany(MOST_ROWS + 1)
        except (Error, BotoCoreError, ClientError) as error:
            raise LakeError(
                f"query: Athena's workgroup {self.workgroup}: {one_line(str(error))}"
            ) from None
        if len(rows) > MOST_ROWS:
            raise LakeError(
                f"query: more than {MOST_ROWS:,} rows; add a WHERE or a LIMIT, or aggregate"
            )
        columns = zip(*rows, strict=True) if rows else ([] for _ in names)
        return pa.table([pa.array(column) for column in columns], names=names)
