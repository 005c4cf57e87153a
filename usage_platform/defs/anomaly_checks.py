"""Asset checks on the model and on the anomalies it detects."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd

from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, USAGE_HOURLY
from usage_platform.core.detector.gate import days_allowed
from usage_platform.core.feedback.labels import agreement, silenced
from usage_platform.core.readings.quality import compare_anomalies
from usage_platform.core.time.units import instants_of
from usage_platform.defs.freshness import LONGEST_MODEL_AGE
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.rescore import rescored, standing

_BUDGET_WEEKS = 4
_WARN = dg.AssetCheckSeverity.WARN
_NOTHING_YET = dg.AssetCheckResult(passed=True, description="anomalies: no such table yet")


@dg.asset_check(asset="slot_forests")
def model_is_recent(platform: PlatformResource) -> dg.AssetCheckResult:
    """The newest model was trained within the last eight days."""
    manifests = platform.deployment.models.manifests()
    if not manifests:
        return dg.AssetCheckResult(passed=False, severity=_WARN, description="no model yet")
    newest = manifests[-1]
    age = datetime.now(UTC) - datetime.fromisoformat(newest.trained_at)
    return dg.AssetCheckResult(
        passed=age <= LONGEST_MODEL_AGE,
        severity=_WARN,
        metadata={"version": newest.version, "age_days": age / timedelta(days=1)},
    )


@dg.asset_check(asset="anomalies")
def stream_equals_rescoring(platform: PlatformResource) -> dg.AssetCheckResult:
    """The newest week's published anomalies equal those of rescoring its `readings`."""
    if not platform.deployment.reader.exists(ANOMALIES):
        return _NOTHING_YET
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
            "not_published_yet": len(waiting),
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


@dg.asset_check(asset="anomalies")
def alarms_keep_budget(platform: PlatformResource) -> dg.AssetCheckResult:
    """Days with an alarm in the last four weeks stay within the alarm budget, plus chance."""
    deployment = platform.deployment
    span = deployment.reader.span(READINGS, "event_time")
    budgets = [m.false_alarms_per_week for m in deployment.models.manifests()[-1:]]
    if span is None or not budgets or budgets[0] is None:
        return dg.AssetCheckResult(passed=True, description="no model with an alarm budget yet")
    rows = standing(deployment.reader, span[1].date() - timedelta(weeks=_BUDGET_WEEKS))
    registry = deployment.registry()
    days = {
        str(name): own["event_time"].dt.tz_convert(registry.get(str(name)).timezone).dt.date
        for name, own in rows.groupby("meter")
    }
    allowed = days_allowed(budgets[0], _BUDGET_WEEKS)
    over = {name: own.nunique() for name, own in days.items() if own.nunique() > allowed}
    shown = "\n".join(f"- {name}: {count} days" for name, count in sorted(over.items()))
    return dg.AssetCheckResult(
        passed=not over,
        severity=_WARN,
        metadata={
            "days_allowed": round(allowed, 1),
            "meters_over": len(over),
            "meters": dg.MetadataValue.md(shown or "none"),
        },
    )


@dg.asset_check(asset="anomalies")
def people_agree(platform: PlatformResource) -> dg.AssetCheckResult:
    """Most labelled episodes were true anomalies."""
    if not platform.deployment.reader.exists(ANOMALIES):
        return _NOTHING_YET
    deployment = platform.deployment
    labels = deployment.labels.read()
    found = agreement(standing(deployment.reader), labels)
    return dg.AssetCheckResult(
        passed=found.wrong <= found.right,
        severity=_WARN,
        metadata={
            "labels": len(labels),
            "episodes_right": found.right,
            "episodes_wrong": found.wrong,
            "missed": found.missed,
        },
    )
