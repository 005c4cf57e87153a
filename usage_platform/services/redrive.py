"""The table `rejects`: its summary, and reprocessing (redriving) chosen rejects.

Belongs here: choosing rejects, processing them again by the micro-batch's function, rescoring the
days that they change, deleting those that are readings now. Not here: what makes an event valid
(`core.readings`).

The steps are the commit of the readings, then the scoring of their days, then the deletion from
`rejects`. Each may be repeated, and a reject leaves the table last: a kill in between leaves it
there, and the next run repeats all steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.commit_dates import date_list
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.rejects_table import delete_rejects
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, REJECTS, Lake
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.reject_reasons import Reason
from usage_platform.core.readings.validation import EVENT_PLACE, RAW_COLUMNS
from usage_platform.services.rescore import RescoredDays, rescore_days

ALL_REASONS = "all"
_CUT = Reason.MESSAGE_TOO_LARGE.code
REASONS = tuple(sorted({reason.code for reason in Reason} - {_CUT}))
"""The codes in the table's column `reason` of rejects that are kept whole and can be redriven."""

_EXAMPLES = 2


@dataclass(frozen=True)
class RejectedReason:
    """The rejects of one reason.

    Attributes:
        reason: The reason's code.
        count: Their number.
        examples: The newest ones: `partition`, `offset` and `raw` (bytes or None).
    """

    reason: str
    count: int
    examples: list[dict[str, object]]


def reject_summary(reader: LakeReader) -> list[RejectedReason]:
    """Count the rejects by reason, the most frequent first, with the newest ones of each.

    Of the whole table only the reasons are read, the events only of the newest day of each reason.
    """
    if not reader.exists(REJECTS):
        return []
    counts = reader.query_rows(
        "SELECT reason, count(*) AS n, max(received_date) AS day FROM rejects "
        "GROUP BY reason ORDER BY n DESC, reason"
    )
    if not counts:
        return []
    days = date_list(row["day"] for row in counts)
    examples = reader.query_rows(
        "SELECT reason, arg_max({'partition': partition, 'offset': \"offset\", 'raw': raw}, "
        f'(kafka_time, "offset", partition), {_EXAMPLES}) AS newest '
        f"FROM rejects WHERE received_date IN ({days}) GROUP BY reason"
    )
    newest = {row["reason"]: row["newest"] for row in examples}
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
    # A table of a former version has no column `key` before the next micro-batch.
    rows = reader.rows(REJECTS, None, first, last)
    rows = rows.assign(key=rows.get("key", None))
    # No reading can come of messages of other topics, nor of those of which only a part is kept.
    rows = rows[(rows["topic"] == USAGE) & (rows["reason"] != _CUT)]
    if reason != ALL_REASONS:
        rows = rows[rows["reason"] == reason]
    rows = rows.rename(columns={"raw": "value"}).sort_values(["kafka_time", "offset", "partition"])
    return rows.loc[:, [*RAW_COLUMNS, "reason"]].reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class Redriven:
    """The result of reprocessing rejects.

    Attributes:
        revived: Those that are readings now (`topic`, `partition`, `offset`, `kafka_time`, and the
            `reason` for which they had been rejected).
        rescored: The result of scoring the days that these changed.
    """

    revived: pd.DataFrame
    rescored: RescoredDays


def redrive(
    reader: LakeReader,
    timeline: ModelTimeline,
    registry: MeterRegistry,
    rejects: pd.DataFrame,
    progress: Callable[[str], None],
) -> Redriven:
    """Reprocess rejects, rescore the days that they change, delete those that are readings now.

    A newer event on the same interval still wins, and doing it twice changes nothing. Those that
    are still invalid stay, with today's reason.

    Args:
        reader: The lake's tables; those that are missing are created.
        timeline: The active models.
        registry: The meters as they are known today.
        rejects: At least one row of `chosen_rejects`.
        progress: Called with a line after each stretch of days that was scored again; what it
            raises ends the work.
    """
    lake = reader.lake
    create_tables(lake)
    revived, days = _reprocess(lake, registry, rejects)
    scored = RescoredDays()
    if days:
        until = _last_day_to_score(reader, days[-1])
        scored = rescore_days(reader, timeline, registry, days[0], until, progress)
    delete_rejects(lake, revived)
    return Redriven(revived, scored)


def _reprocess(
    lake: Lake, registry: MeterRegistry, rejects: pd.DataFrame
) -> tuple[pd.DataFrame, list[date]]:
    """Put rejects through the micro-batch again, with the places and times that they had.

    Returns:
        Those that are readings now, and the UTC days of these readings, ascending.
    """
    batch = apply_events(lake, registry, rejects[RAW_COLUMNS])
    still_bad = pd.MultiIndex.from_frame(batch.rejects[EVENT_PLACE])
    is_bad = pd.MultiIndex.from_frame(rejects[EVENT_PLACE]).isin(still_bad)
    revived = rejects.loc[~is_bad, [*EVENT_PLACE, "reason"]].reset_index(drop=True)
    return revived, sorted(set(batch.readings["event_time"].dt.date))


def _last_day_to_score(reader: LakeReader, day: date) -> date:
    """The last UTC day whose scores depend on the readings of a day."""
    reach = day + timedelta(days=LOOK_BACK.days)
    span = reader.span(READINGS, "event_time")
    return reach if span is None else max(day, min(reach, span[1].date()))
