"""Rejects that are reprocessed after a fix or a change of settings (redrive)."""

import time
from datetime import date

import dagster as dg
import pandas as pd
from pydantic import Field

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, REJECTS, USAGE_HOURLY
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.ingest_report import report_days
from usage_platform.defs.lake_assets import WRITER_POOL
from usage_platform.defs.metadata import OWNERS, rejects_table
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.redrive import (
    ALL_REASONS,
    REASONS,
    chosen_rejects,
    redrive,
    reject_summary,
)
from usage_platform.services.rescore import RescoredDays

_DATE = "like 2024-03-05"


class RedriveConfig(dg.Config):
    """Which rejects are reprocessed."""

    reason: str = Field(
        description=f"Reason of the rejection: {', '.join(REASONS)}; or '{ALL_REASONS}'."
    )
    first: str | None = Field(
        None, description=f"First UTC date of receipt, {_DATE}; all by default."
    )
    last: str | None = Field(
        None, description=f"Last UTC date of receipt, {_DATE}; all by default."
    )


@dg.asset(
    group_name="lake",
    kinds={"delta"},
    owners=OWNERS,
    deps=["rejects"],
    code_version="1",
    pool=WRITER_POOL,
)
@fails_in_one_line
def redriven_rejects(
    context: dg.AssetExecutionContext, config: RedriveConfig, platform: PlatformResource
) -> dg.MaterializeResult:
    """Rejects of a chosen reason and time, validated again by today's rules, settings and meters.

    They go through the micro-batch's own function with their original offsets and broker times, so
    a later correction still wins, and a second redrive changes nothing. Events that are valid now
    leave `rejects`; the others stay, with today's reason. Their days, and the later days whose
    expected values they change, are rescored into `anomalies`. Nothing is published to the topics
    `anomaly` and `episode`, whose consumers want to know what is anomalous now.
    """
    deployment = platform.deployment
    reader = deployment.reader
    first, last = _checked(config, reader)
    started = time.monotonic()
    rejects = chosen_rejects(reader, config.reason, first, last)
    context.log.info(f"redriving {len(rejects):,} rejects")
    readings_now, done = pd.Series(dtype="int64"), RescoredDays()
    versions = {table: reader.state(table).version for table in (USAGE_HOURLY, ANOMALIES)}
    if not rejects.empty:
        with deployment.lake_writer.turn() as turn:
            redriven = redrive(
                reader,
                deployment.timeline(),
                deployment.registry(),
                rejects,
                turn.checked(context.log.info),
            )
        readings_now, done = redriven.revived["reason"].value_counts(), redriven.rescored
    for table, version in versions.items():
        report_days(context, deployment, table, version, {"redriven": len(rejects)})
    return dg.MaterializeResult(
        metadata={
            "redriven": len(rejects),
            "readings_now": int(readings_now.sum()),
            "readings_now_by_reason": dg.MetadataValue.json(
                {str(reason): int(count) for reason, count in readings_now.items()}
            ),
            "still_rejected": len(rejects) - int(readings_now.sum()),
            "rejects_left": rejects_table(reject_summary(reader)),
            "dagster/row_count": reader.state(REJECTS).rows,
            "scored": done.scored,
            "anomalies_found": done.anomalies,
            "anomalies_withdrawn": done.withdrawn,
            "seconds": round(time.monotonic() - started, 2),
        }
    )


def _checked(config: RedriveConfig, reader: LakeReader) -> tuple[date | None, date | None]:
    """The dates of a valid request.

    Raises:
        dg.Failure: In one line, when it is not valid.
    """
    if config.reason not in {*REASONS, ALL_REASONS}:
        there = ", ".join(f"{one.reason} ({one.count:,})" for one in reject_summary(reader))
        raise _failure(
            f"reason {config.reason!r}: expected '{ALL_REASONS}' or one of {', '.join(REASONS)}; "
            f"the table rejects holds {there or 'none'}"
        )
    first, last = _date("first", config.first), _date("last", config.last)
    if first and last and first > last:
        raise _failure(f"first {first} is after last {last}: expected the earlier date first")
    return first, last


def _date(name: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _failure(f"{name} {text!r}: expected a UTC date {_DATE}") from None


def _failure(line: str) -> dg.Failure:
    return dg.Failure(description=line, allow_retries=False)
