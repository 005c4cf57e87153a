"""The table `usage_findings`: what was found about each meter, a row a finding.

Belongs here: the rows that a meter has, and merging new ones. Not here: making findings
(`core.findings`), which meters are looked at (`services.usage_findings`).
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from usage_platform.adapters.lake.day_filters import ALL_DAYS
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.row_writer import any_differs, merge_rows, new, old
from usage_platform.adapters.lake.tables import USAGE_FINDINGS, Lake

FINDING_COLUMNS = [column.name for column in USAGE_FINDINGS.schema if column.name != "rev"]
"""What a row holds before it is written."""

_KEPT = ("id", "meter", "kind", "first_seen", "quarter")
_CONTENT = [name for name in FINDING_COLUMNS if name not in (*_KEPT, "last_seen")]


def known_findings(
    reader: LakeReader, since: date | None = None, meters: Sequence[str] | None = None
) -> pd.DataFrame:
    """The current findings, and those that are no longer found of the last quarters.

    Args:
        reader: The lake's tables.
        since: The first day of the first quarter whose former findings count; None for none.
        meters: Only of these meters; of all by default.

    Returns:
        `FINDING_COLUMNS`; timestamps are datetime64[ns, UTC].

    Raises:
        LakeError: When the table cannot be read.
    """
    if not reader.exists(USAGE_FINDINGS):
        return pd.DataFrame(columns=FINDING_COLUMNS)
    chosen = pc.field("is_current")
    if since is not None:
        chosen |= pc.field(USAGE_FINDINGS.partition) >= pa.scalar(since)
    if meters is not None:
        chosen &= of_meters(meters)
    parts = [
        batch.to_pandas()
        for batch in reader.scan(USAGE_FINDINGS, FINDING_COLUMNS, ALL_DAYS, chosen)
    ]
    if not any(map(len, parts)):
        return pd.DataFrame(columns=FINDING_COLUMNS)
    rows = pd.concat(parts, ignore_index=True)
    return rows.astype(dict.fromkeys(("start", "end"), "datetime64[ns, UTC]"))


def is_known(reader: LakeReader, finding: str) -> bool:
    """Whether the table has a finding with an id, current or not.

    Raises:
        LakeError: When the table cannot be read.
    """
    if not reader.exists(USAGE_FINDINGS):
        return False
    chosen = pc.field("id") == pa.scalar(finding)
    return any(batch.num_rows for batch in reader.scan(USAGE_FINDINGS, ["id"], ALL_DAYS, chosen))


def merge_findings(lake: Lake, findings: pd.DataFrame) -> None:
    """Write findings by their id; equal rows do not change.

    Args:
        lake: The lake, with the table.
        findings: `FINDING_COLUMNS`; an id once, with the quarter that it has in the table; at least
            one row.

    Raises:
        LakeError: In one line, when the table cannot be written.
    """
    differs = any_differs(_CONTENT)
    rev = f"{old('rev')} + CASE WHEN {differs} THEN 1 ELSE 0 END"
    updates = {**{name: new(name) for name in (*_CONTENT, "last_seen")}, "rev": rev}
    when = any_differs([*_CONTENT, "last_seen"])
    merge_rows(lake, USAGE_FINDINGS, findings.assign(rev=0), ("id",), when, updates)
