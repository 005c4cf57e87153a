"""Which rows of a table are read, as a condition on a column.

Belongs here: conditions that several readers of tables share. Not here: days of the partition
(`day_filters`).
"""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc


def of_meters(names: Iterable[str]) -> pc.Expression:
    """The rows of some meters; of no name, no rows."""
    # Without the type, an empty list is one of nulls, which Arrow does not compare with strings.
    return pc.field("meter").isin(pa.array(list(names), pa.string()))
