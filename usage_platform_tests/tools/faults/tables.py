"""The tables of a lake against those that the events make, told apart row by row.

Belongs here: the judge of `readings`, `rejects` and `usage_hourly`. Not here: topics (`history`).
"""

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform_tests.tools.faults.findings import Findings, compare

_SAME_TYPES = {"n": "int64", "expected_n": "int64"}


def judged_tables(
    reader: LakeReader, registry: MeterRegistry, readings: pd.DataFrame, rejects: list[bytes]
) -> Findings:
    """Compare the tables with what they must hold, to the last bit.

    Args:
        reader: The lake's tables.
        registry: The known meters.
        readings: meter, event_time (datetime64[ns, UTC]), value (kW): all there are.
        rejects: The events that are no readings, no two alike.
    """
    columns = ["meter", "event_time", "value"]
    hours = hourly_from_readings(readings, registry)
    return (
        judged_rows("readings", readings[columns], reader.rows(READINGS, columns), 2)
        + compare("reject", rejects, reader.rows(REJECTS, ["raw"])["raw"])
        + judged_rows("usage_hourly", hours, reader.rows(USAGE_HOURLY, HOURLY_COLUMNS), 2)
    )


def judged_rows(name: str, expected: pd.DataFrame, found: pd.DataFrame, keys: int) -> Findings:
    """Compare rows by key and by what they say.

    Args:
        name: The table's, for the lines.
        expected: Rows; the first `keys` columns tell them apart.
        found: Rows of the same columns, in any order.
        keys: How many columns are keys.
    """
    wanted, there = (_by_key(frame[expected.columns], keys) for frame in (expected, found))
    by_key = dict(there)
    differing = tuple(
        f"{name} {key}: expected {values}, got {by_key[key]}"
        for key, values in wanted
        if key in by_key and by_key[key] != values
    )
    return compare(name, (key for key, _ in wanted), (key for key, _ in there)) + Findings(
        wrong=differing
    )


def _by_key(frame: pd.DataFrame, keys: int) -> list[tuple[tuple, tuple]]:
    types = {name: kind for name, kind in _SAME_TYPES.items() if name in frame}
    rows = frame.astype(types).itertuples(index=False, name=None)
    return [(row[:keys], row[keys:]) for row in rows]
