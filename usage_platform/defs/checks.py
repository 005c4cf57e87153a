"""Asset checks: what must hold of the tables and of the model, looked at without a JVM."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd

from usage_platform.adapters.lake_tables import (
    ANOMALIES,
    READER_VERSION,
    READINGS,
    REJECTS,
    TABLES,
    USAGE_HOURLY,
    LakeTable,
)
from usage_platform.adapters.rescoring import rescored, standing
from usage_platform.core.detector.grid import instants_of
from usage_platform.core.detector.slow import HISTORY_DAYS, SlowChange, slow_changes
from usage_platform.core.labels import silenced
from usage_platform.core.quality import (
    compare_anomalies,
    compare_hours,
    duplicate_readings,
    incomplete_days,
)
from usage_platform.core.reading_history import ReadingHistory
from usage_platform.defs.lake_assets import WRITER_POOL
from usage_platform.defs.resources import PlatformResource

_SHOWN_DAYS = 20
_MAX_MODEL_AGE = timedelta(days=8)
_MAX_REJECT_RATE = 0.01
_WARN = dg.AssetCheckSeverity.WARN


def _not_made_yet(platform: PlatformResource, table: LakeTable) -> dg.AssetCheckResult | None:
    """What a check says before the first micro-batch."""
    if platform.deployment.reader.exists(table):
        return None
    return dg.AssetCheckResult(passed=True, description=f"{table.name}: no such table yet")


@dg.asset_check(asset="readings")
def no_reading_twice(platform: PlatformResource) -> dg.AssetCheckResult:
    """No meter has two readings for one interval."""
    if nothing := _not_made_yet(platform, READINGS):
        return nothing
    reader = platform.deployment.reader
    rows = reader.rows(READINGS, ["meter", "event_time"])
    duplicates = duplicate_readings(rows)
    return dg.AssetCheckResult(
        passed=duplicates == 0, metadata={"rows": len(rows), "duplicates": duplicates}
    )


# In the writer's pool: between reading the hours and the readings no batch may come in.
@dg.asset_check(asset="usage_hourly", pool=WRITER_POOL)
def hours_equal_recompute(platform: PlatformResource) -> dg.AssetCheckResult:
    """Every row of `usage_hourly` is what its readings say, to the last bit."""
    if nothing := _not_made_yet(platform, USAGE_HOURLY):
        return nothing
    deployment = platform.deployment
    hours = deployment.reader.rows(USAGE_HOURLY)
    readings = deployment.reader.rows(READINGS, ["meter", "event_time", "value"])
    result = compare_hours(hours, readings, deployment.registry())
    return dg.AssetCheckResult(
        passed=result.wrong == 0,
        metadata={"hours_compared": result.compared, "hours_wrong": result.wrong},
    )


@dg.asset_check(asset="usage_hourly")
def hours_complete(platform: PlatformResource) -> dg.AssetCheckResult:
    """No local day lacks readings; days have 23, 24 or 25 hours."""
    if nothing := _not_made_yet(platform, USAGE_HOURLY):
        return nothing
    deployment = platform.deployment
    hours = deployment.reader.rows(USAGE_HOURLY, ["meter", "start", "n"])
    missing = incomplete_days(hours, deployment.registry())
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
def tables_readable_everywhere(platform: PlatformResource) -> dg.AssetCheckResult:
    """Every table stays at Delta reader version 1, which Athena and Power BI read."""
    reader = platform.deployment.reader
    versions = {t.name: reader.state(t).reader_version for t in TABLES if reader.exists(t)}
    return dg.AssetCheckResult(
        passed=all(v == READER_VERSION for v in versions.values()),
        metadata={f"{name}_reader_version": v for name, v in versions.items()},
    )


@dg.asset_check(asset="rejects")
def few_rejects(platform: PlatformResource) -> dg.AssetCheckResult:
    """At most one event in a hundred is no reading."""
    reader = platform.deployment.reader
    rejects, readings = reader.state(REJECTS).rows, reader.state(READINGS).rows
    rate = rejects / max(rejects + readings, 1)
    reasons = {} if not rejects else dict(reader.rows(REJECTS, ["reason"])["reason"].value_counts())
    return dg.AssetCheckResult(
        passed=rate <= _MAX_REJECT_RATE,
        severity=_WARN,
        metadata={
            "rejects": rejects,
            "reject_rate": rate,
            "reasons": dg.MetadataValue.json({k: int(v) for k, v in reasons.items()}),
        },
    )


@dg.asset_check(asset="slot_forests")
def model_is_recent(platform: PlatformResource) -> dg.AssetCheckResult:
    """The newest model was trained within the last eight days."""
    manifests = platform.deployment.models.manifests()
    if not manifests:
        return dg.AssetCheckResult(passed=False, severity=_WARN, description="no model yet")
    newest = manifests[-1]
    age = datetime.now(UTC) - datetime.fromisoformat(newest.trained_at)
    return dg.AssetCheckResult(
        passed=age <= _MAX_MODEL_AGE,
        severity=_WARN,
        metadata={"version": newest.version, "age_days": age / timedelta(days=1)},
    )


@dg.asset_check(asset="anomalies")
def stream_equals_rescoring(platform: PlatformResource) -> dg.AssetCheckResult:
    """What the stream told of the newest week is what scoring its `readings` again finds."""
    if nothing := _not_made_yet(platform, ANOMALIES):
        return nothing
    deployment = platform.deployment
    reader, judges = deployment.reader, deployment.judges()
    span = reader.span(USAGE_HOURLY, "start")
    if not judges.manifests or span is None:
        return dg.AssetCheckResult(passed=True, description="nothing scored yet")
    last = span[1].date()
    first = last - timedelta(days=7)
    registry = deployment.registry()
    found, _ = rescored(reader, judges, registry, first, last)
    table = standing(reader, first, last)
    table = table[~_silenced(table, judges.labels)]
    waiting = _after(found.anomalies, table)
    result = compare_anomalies(table, found.anomalies.drop(index=waiting))
    return dg.AssetCheckResult(
        passed=result.wrong == 0,
        metadata={
            "anomalies_compared": result.compared,
            "anomalies_wrong": result.wrong,
            "not_told_yet": len(waiting),
        },
    )


def _silenced(table: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    """Anomalies that were told before people said that the time was planned."""
    quiet = pd.Series(False, index=table.index)
    for meter, own in table.groupby("meter"):
        instants = instants_of(own.loc[:, "event_time"])
        quiet.loc[own.index] = silenced(str(meter), instants, labels)
    return quiet


def _after(rescored: pd.DataFrame, table: pd.DataFrame) -> pd.Index:
    """Anomalies newer than the table's newest: the stream may not have come so far."""
    if table.empty:
        return rescored.index
    return rescored.index[rescored["event_time"] > table["event_time"].max()]


@dg.asset_check(asset="readings")
def no_slow_change(platform: PlatformResource) -> dg.AssetCheckResult:
    """No meter's base load or mean has crept away within the last weeks."""
    if nothing := _not_made_yet(platform, READINGS):
        return nothing
    deployment = platform.deployment
    span = deployment.reader.span(READINGS, "event_time")
    if span is None:
        return dg.AssetCheckResult(passed=True, description="no readings yet")
    since = (span[1] - timedelta(days=HISTORY_DAYS)).date()
    history = ReadingHistory()
    history.add(deployment.reader.rows(READINGS, ["meter", "event_time", "value"], since))
    calendar, registry = deployment.wishes().calendar, deployment.registry()
    lines, compared = [], 0
    for name in history.meters():
        series = history.of(name)
        changes = slow_changes(series.instants, series.values, registry.get(name), calendar)
        compared += len(changes)
        lines += [_in_words(name, change) for change in changes if change.is_odd]
    return dg.AssetCheckResult(
        passed=not lines,
        severity=_WARN,
        metadata={
            "compared": compared,
            "changed": len(lines),
            "changes": dg.MetadataValue.md("\n".join(lines[:_SHOWN_DAYS]) or "none"),
        },
    )


def _in_words(meter: str, change: SlowChange) -> str:
    return (
        f"- {meter}: {change.what} {change.share:+.0%} within the last weeks, from "
        f"{change.before_kw:.0f} to {change.now_kw:.0f} kW; usual are {change.usual_share:.0%}"
    )


CHECKS: Sequence[dg.AssetChecksDefinition] = (
    no_reading_twice,
    hours_equal_recompute,
    hours_complete,
    tables_readable_everywhere,
    few_rejects,
    model_is_recent,
    stream_equals_rescoring,
    no_slow_change,
)
