"""Refuses to compute hours with another interval than those in the lake.

Belongs here: reading what the hours expect. Not here: the rule (`core.readings`).
"""

from collections.abc import Collection
from datetime import date

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_HOURLY, Lake
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.written_intervals import interval_mismatch


def check_intervals(
    lake: Lake,
    registry: MeterRegistry,
    meters: Collection[str],
    first: date,
    last: date | None = None,
) -> None:
    """Make sure that meters have the intervals with which these days of theirs were computed.

    Args:
        lake: The lake.
        registry: The meters with their present intervals.
        meters: Names of the meters.
        first: The first UTC day.
        last: The last UTC day, inclusive; None for all from the first one on.

    Raises:
        LakeError: In one line, when a meter's interval is another one now.
    """
    rows = LakeReader(lake).rows(USAGE_HOURLY, ["meter", "expected_n"], first, last, [*meters])
    distinct = rows.drop_duplicates()
    found = {
        str(meter): {int(n) for n in of["expected_n"]} for meter, of in distinct.groupby("meter")
    }
    mismatch = interval_mismatch(found, registry)
    if mismatch:
        raise LakeError(mismatch)
