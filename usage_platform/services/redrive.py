"""The table `rejects`: what is in it, and driving chosen ones again as if they came anew.

Belongs here: choosing rejects, writing them again by the micro-batch's own function, and taking
those out that are readings now. Not here: what makes an event good (`core.readings.messages`),
scoring the days that they change (`rescoring`).

The steps are the readings' merge, then the scoring of their days (the caller's), then the deletion
from `rejects`. Each may be repeated, and a reject leaves the table last: a kill in between leaves
it there, and the next run does all of it again.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import REJECTS, Lake
from usage_platform.adapters.spark.commit_dates import date_list, note_dates
from usage_platform.adapters.spark.usage_batch import apply_events
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import Reason
from usage_platform.core.readings.validation import RAW_COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ALL_REASONS = "all"
REASONS = tuple(sorted({reason.value.partition(":")[0] for reason in Reason}))
"""The codes that stand in the table's column `reason`."""

_PLACE = ["topic", "partition", "offset", "kafka_time"]
_EXAMPLES = 2


@dataclass(frozen=True)
class RejectedReason:
    """The rejects of one reason.

    Attributes:
        reason: The reason's code.
        count: How many there are.
        examples: The newest ones: `partition`, `offset` and `raw` (bytes or None).
    """

    reason: str
    count: int
    examples: list[dict[str, object]]


def reject_summary(reader: LakeReader) -> list[RejectedReason]:
    """Count the rejects by reason, the most frequent first, with the newest ones of each.

    Only the reasons are read of the whole table; the events only of the newest day of each reason.
    """
    if not reader.exists(REJECTS):
        return []
    counts = reader.query(
        "SELECT reason, count(*) AS n, max(received_date) AS day FROM rejects "
        "GROUP BY reason ORDER BY n DESC, reason"
    ).to_pylist()
    if not counts:
        return []
    days = date_list(row["day"] for row in counts)
    found = reader.query(
        "SELECT reason, arg_max({'partition': partition, 'offset': \"offset\", 'raw': raw}, "
        f'(kafka_time, "offset", partition), {_EXAMPLES}) AS newest '
        f"FROM rejects WHERE received_date IN ({days}) GROUP BY reason"
    ).to_pylist()
    newest = {row["reason"]: row["newest"] for row in found}
    return [RejectedReason(row["reason"], row["n"], newest[row["reason"]]) for row in counts]


def chosen_rejects(
    reader: LakeReader, reason: str, first: date | None, last: date | None
) -> pd.DataFrame:
    """Rejects of a reason that were received on some UTC days.

    Args:
        reader: The lake's tables.
        reason: A code of `REASONS`, or `ALL_REASONS`.
        first: The first day; all from the beginning by default.
        last: The last day, inclusive; all to the end by default.

    Returns:
        `core.readings.validation.RAW_COLUMNS` and `reason`, in the order in which the broker
        received them.
    """
    if not reader.exists(REJECTS):
        return pd.DataFrame(columns=[*RAW_COLUMNS, "reason"])
    rows = reader.rows(REJECTS, [*_PLACE, "raw", "reason"], first, last)
    if reason != ALL_REASONS:
        rows = rows[rows["reason"] == reason]
    rows = rows.rename(columns={"raw": "value"}).sort_values(["kafka_time", "offset", "partition"])
    return rows.loc[:, [*RAW_COLUMNS, "reason"]].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Redriven:
    """Rejects that were driven again.

    Attributes:
        revived: Those that are readings now (`topic`, `partition`, `offset`, `kafka_time`, and the
            `reason` for which they had been rejected).
        days: The UTC days of the readings that they are, ascending.
    """

    revived: pd.DataFrame
    days: list[date]


def drive_again(
    spark: "SparkSession", lake: Lake, registry: MeterRegistry, rejects: pd.DataFrame
) -> Redriven:
    """Put rejects through the micro-batch again, with the places and times that they had.

    A newer event on the same interval still wins, and doing it twice changes nothing. Those that
    are still bad stay, with today's reason.

    Args:
        spark: The session of the service that owns the lake's writes.
        lake: Where the tables are.
        registry: The meters as they are known today.
        rejects: At least one row of `chosen_rejects`.
    """
    batch = apply_events(spark, lake, registry, rejects[RAW_COLUMNS])
    still_bad = pd.MultiIndex.from_frame(batch.rejects[_PLACE])
    is_bad = pd.MultiIndex.from_frame(rejects[_PLACE]).isin(still_bad)
    revived = rejects.loc[~is_bad, [*_PLACE, "reason"]].reset_index(drop=True)
    return Redriven(revived, sorted(set(batch.readings["event_time"].dt.date)))


def take_out(spark: "SparkSession", lake: Lake, revived: pd.DataFrame) -> None:
    """Delete events from `rejects` that are readings now.

    Args:
        spark: The session of the service that owns the lake's writes.
        lake: Where the tables are.
        revived: What `drive_again` says of them.
    """
    if revived.empty:
        return
    rows = revived[_PLACE]
    days = set(rows["kafka_time"].dt.date)
    spark.createDataFrame(rows).createOrReplaceTempView("revived_rejects")
    note_dates(spark, days)
    same = " AND ".join(f"t.{name} = s.{name}" for name in _PLACE)
    spark.sql(f"""
        MERGE INTO {lake.sql(REJECTS)} t USING revived_rejects s
        ON {same} AND t.received_date IN ({date_list(days)})
        WHEN MATCHED THEN DELETE
    """).collect()
