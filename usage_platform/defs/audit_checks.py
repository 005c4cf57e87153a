"""Asset checks against Kafka: the tables against the events, and hanging transactions."""

import secrets

import dagster as dg
import pandas as pd
from confluent_kafka import KafkaException
from pydantic import Field

from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.adapters.kafka.open_transactions import (
    WATCHED_TOPICS,
    OpenTransaction,
    open_transactions,
)
from usage_platform.adapters.kafka.topics import USAGE, KafkaUnreachableError
from usage_platform.core.readings.audit import Audit, sampled_days
from usage_platform.core.readings.row_comparison import RowComparison
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.audit import audit_days, days_with_rows
from usage_platform.services.score_fencing import TRANSACTION_TIMEOUT_MS

# The broker aborts transactions that have timed out every ten seconds.
HANGS_AFTER = pd.Timedelta(milliseconds=TRANSACTION_TIMEOUT_MS) + pd.Timedelta(seconds=30)
_WARN = dg.AssetCheckSeverity.WARN


class AuditConfig(dg.Config):
    """Which days are audited."""

    seed: int | None = Field(
        None,
        description="Seed of the random sample of days, to repeat an audit; random by default.",
    )
    days: int = Field(3, gt=0, description="How many UTC days are sampled.")


@dg.asset_check(asset="readings")
@fails_in_one_line
def sampled_days_equal_kafka(
    config: AuditConfig, platform: PlatformResource
) -> dg.AssetCheckResult:
    """On randomly sampled days `readings`, `usage_hourly` and `rejects` equal Kafka's events.

    The days are sampled from those that have rows. The events are validated by today's rules and
    settings. Rows whose events the topic no longer retains, or holds too far away, are counted and
    not compared; when no row was compared the check warns.
    """
    deployment = platform.deployment
    drawn_from = days_with_rows(deployment.reader)
    if not drawn_from:
        return dg.AssetCheckResult(passed=True, description="no readings, hours or rejects yet")
    seed = secrets.randbelow(2**31) if config.seed is None else config.seed
    days = sampled_days(drawn_from, config.days, seed)
    try:
        # No batch may be written between reading the topic and the tables. Not by the pool, which
        # the checks beside it would hold as well.
        with deployment.lake_writer.at_rest():
            found = audit_days(deployment.reader, deployment.kafka, deployment.registry(), days)
    except (KafkaUnreachableError, KafkaException) as error:
        return _not_asked(error)
    said = {
        "seed": seed,
        "days": ", ".join(day.isoformat() for day in days),
        "days_available": len(drawn_from),
        "events_read": found.events,
        "rows_compared": found.rows_compared,
        "rows_wrong": found.rows_wrong,
        "not_retained": found.not_retained,
        "not_read": found.not_read,
        "rejects_to_redrive": found.to_redrive,
        "tables": _tables(found),
        "digest_of_kafka": found.readings.expected_digest,
        "digest_of_readings": found.readings.actual_digest,
    }
    return dg.AssetCheckResult(
        passed=found.rows_compared > 0 and found.rows_wrong == 0,
        severity=dg.AssetCheckSeverity.ERROR if found.rows_wrong else _WARN,
        metadata=said,
        description=_in_words(found),
    )


def _compared(found: Audit) -> dict[str, RowComparison]:
    return {"readings": found.readings, "usage_hourly": found.hours, "rejects": found.rejects}


def _tables(found: Audit) -> dg.MarkdownMetadataValue:
    names = ("compared", "missing", "extra", "different")
    lines = [f"| table | {' | '.join(names)} |", "| --- | ---: | ---: | ---: | ---: |"]
    for table, rows in _compared(found).items():
        counts = " | ".join(f"{getattr(rows, name):,}" for name in names)
        lines.append(f"| {table} | {counts} |")
    return dg.MetadataValue.md("\n".join(lines))


def _in_words(found: Audit) -> str | None:
    wrong = [f"{rows.wrong:,} in {name}" for name, rows in _compared(found).items() if rows.wrong]
    if wrong:
        return (
            f"rows that differ from Kafka's events: {', '.join(wrong)}; repair hours by "
            "materializing their days of usage_hourly, missing readings and rejects by deleting "
            "the lake's checkpoint/usage while the platform is stopped, so that the topic is read "
            "again; delete wrong readings first"
        )
    said = []
    if not found.rows_compared:
        said.append(
            f"nothing compared: of these days' readings the topic {USAGE} no longer holds "
            f"{found.not_retained:,}, and {found.not_read:,} lie too far away on it; raise its "
            "retention.ms, or run this check again, which samples other days"
        )
    if found.to_redrive:
        said.append(
            f"{found.to_redrive:,} rejects are valid readings by today's settings: materialize "
            "redriven_rejects"
        )
    return "; ".join(said) or None


@dg.asset_check(asset="anomaly")
@fails_in_one_line
def no_transaction_hangs(platform: PlatformResource) -> dg.AssetCheckResult:
    """No transaction is open for longer than the scorer's timeout: it blocks all consumers.

    On `usage` it is another producer's, and meanwhile nothing is ingested or scored.
    """
    now = pd.Timestamp.now(tz="UTC")
    try:
        found = open_transactions(platform.deployment.kafka, now)
    except (KafkaUnreachableError, KafkaException) as error:
        return _not_asked(error)
    hanging = [one for one in found if one.age > HANGS_AFTER]
    return dg.AssetCheckResult(
        passed=not hanging,
        description="; ".join(_what_to_do(one) for one in hanging) or None,
        metadata={
            "topics": ", ".join(WATCHED_TOPICS),
            "open": len(found),
            "hanging": len(hanging),
            "limit_seconds": HANGS_AFTER.total_seconds(),
        },
    )


def _what_to_do(one: OpenTransaction) -> str:
    tool = "kafka-transactions.sh --bootstrap-server ..."
    place = f"--topic {one.topic} --partition {one.partition}"
    end = f"end it with '... abort {place} --start-offset {one.stable}'"
    if one.topic != USAGE:
        return f"{one}: find whose it is with '{tool} find-hanging {place}' and {end}"
    return (
        f"{one}: nothing after it is ingested or scored; it is another program's, "
        f"as the platform opens none on {USAGE}: find its producer with '{tool} describe-producers "
        f"{place}' and '... list', and stop that program or let it end the transaction; if it is "
        f"gone, {end}"
    )


def _not_asked(error: KafkaUnreachableError | KafkaException) -> dg.AssetCheckResult:
    """The result when Kafka does not answer: neither passed nor known to be wrong, a warning."""
    line = kafka_error_line(error) if isinstance(error, KafkaException) else f"Kafka: {error}"
    return dg.AssetCheckResult(passed=False, severity=_WARN, description=line)
