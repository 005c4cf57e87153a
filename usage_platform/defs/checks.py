"""Asset checks on the tables, evaluated without a JVM."""

import dagster as dg

from usage_platform.adapters.lake.tables import (
    READER_VERSION,
    READINGS,
    REJECTS,
    TABLES,
    USAGE_HOURLY,
    LakeTable,
)
from usage_platform.core.detector.slow_change import SlowChange
from usage_platform.core.measurement import few_digits
from usage_platform.core.meters import Meter
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.check_days import find_incomplete_days
from usage_platform.services.slow_changes import slow_changes_by_meter

_SHOWN_DAYS = 20
_MAX_REJECT_RATE = 0.01
_WARN = dg.AssetCheckSeverity.WARN


def _not_made_yet(platform: PlatformResource, table: LakeTable) -> dg.AssetCheckResult | None:
    """The result of a check before the first micro-batch."""
    if platform.deployment.reader.exists(table):
        return None
    return dg.AssetCheckResult(passed=True, description=f"{table.name}: no such table yet")


@dg.asset_check(asset="usage_hourly")
@fails_in_one_line
def hours_complete(platform: PlatformResource) -> dg.AssetCheckResult:
    """No local day (23, 24 or 25 hours) has missing readings."""
    if nothing := _not_made_yet(platform, USAGE_HOURLY):
        return nothing
    deployment = platform.deployment
    missing = find_incomplete_days(deployment.reader, deployment.registry())
    shown = "\n".join(
        f"- {row.meter} {row.day}: {row.n} of {row.expected_n}"
        for row in missing.head(_SHOWN_DAYS).itertuples()
    )
    return dg.AssetCheckResult(
        passed=missing.empty,
        severity=_WARN,
        metadata={
            "incomplete_days": len(missing),
            "missing_readings": int((missing["expected_n"] - missing["n"]).sum()),
            "days": dg.MetadataValue.md(shown or "none"),
        },
    )


@dg.asset_check(asset="readings")
@fails_in_one_line
def tables_readable_everywhere(platform: PlatformResource) -> dg.AssetCheckResult:
    """Every table stays at Delta reader version 1, which Athena and Power BI can read."""
    reader = platform.deployment.reader
    versions = {t.name: reader.state(t).reader_version for t in TABLES if reader.exists(t)}
    return dg.AssetCheckResult(
        passed=all(v == READER_VERSION for v in versions.values()),
        metadata={f"{name}_reader_version": v for name, v in versions.items()},
    )


@dg.asset_check(asset="rejects")
@fails_in_one_line
def few_rejects(platform: PlatformResource) -> dg.AssetCheckResult:
    """At most one event in a hundred is rejected."""
    reader = platform.deployment.reader
    rejects, readings = reader.state(REJECTS).rows, reader.state(READINGS).rows
    rate = rejects / max(rejects + readings, 1)
    counted = "SELECT reason, count(*) AS events FROM rejects GROUP BY reason ORDER BY events DESC"
    reasons = reader.query_rows(counted) if rejects else []
    return dg.AssetCheckResult(
        passed=rate <= _MAX_REJECT_RATE,
        severity=_WARN,
        metadata={
            "rejects": rejects,
            "reject_rate": rate,
            "reasons": dg.MetadataValue.json({one["reason"]: one["events"] for one in reasons}),
        },
    )


@dg.asset_check(asset="readings")
@fails_in_one_line
def no_slow_change(platform: PlatformResource) -> dg.AssetCheckResult:
    """No meter's night level or mean has drifted within the last weeks."""
    if nothing := _not_made_yet(platform, READINGS):
        return nothing
    deployment = platform.deployment
    calendar = deployment.training_options().calendar
    registry = deployment.registry()
    changes = slow_changes_by_meter(deployment.reader, registry, calendar)
    if changes is None:
        return dg.AssetCheckResult(passed=True, description="no readings yet")
    pairs = [(name, one) for name, of_meter in changes.items() for one in of_meter]
    lines = [_in_words(registry.get(name), one) for name, one in pairs if one.is_significant]
    return dg.AssetCheckResult(
        passed=not lines,
        severity=_WARN,
        metadata={
            "compared": len(pairs),
            "changed": len(lines),
            "changes": dg.MetadataValue.md("\n".join(lines[:_SHOWN_DAYS]) or "none"),
        },
    )


def _in_words(meter: Meter, change: SlowChange) -> str:
    before, now = (
        f"{value:.0f}" if meter.is_power else few_digits(value)
        for value in (change.before_kw, change.now_kw)
    )
    return (
        f"- {meter.name}: {change.what} {change.share:+.0%} within the last weeks, from "
        f"{before} to {now} {meter.unit}; usual are "
        f"{change.usual_share:.0%}"
    )
