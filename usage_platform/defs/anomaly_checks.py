"""Asset checks on the model and on the anomalies it detects."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from usage_platform.adapters.lake.tables import ANOMALIES
from usage_platform.core.feedback.labels import agreement
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.freshness import LONGEST_MODEL_AGE
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.check_anomalies import alarm_days, compare_stream
from usage_platform.services.rescore import standing

_WARN = dg.AssetCheckSeverity.WARN
_NOTHING_YET = dg.AssetCheckResult(passed=True, description="anomalies: no such table yet")


@dg.asset_check(asset="slot_forests")
@fails_in_one_line
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
@fails_in_one_line
def stream_equals_rescoring(platform: PlatformResource) -> dg.AssetCheckResult:
    """The newest week's published anomalies equal those of rescoring its `readings`."""
    if not platform.deployment.reader.exists(ANOMALIES):
        return _NOTHING_YET
    deployment = platform.deployment
    found = compare_stream(deployment.reader, deployment.timeline(), deployment.registry())
    if found is None:
        return dg.AssetCheckResult(passed=True, description="nothing scored yet")
    return dg.AssetCheckResult(
        passed=found.wrong == 0,
        metadata={
            "anomalies_compared": found.compared,
            "anomalies_wrong": found.wrong,
            "not_published_yet": found.unpublished,
        },
    )


@dg.asset_check(asset="anomalies")
@fails_in_one_line
def alarms_keep_budget(platform: PlatformResource) -> dg.AssetCheckResult:
    """Days with an alarm in the last four weeks stay within the alarm budget, plus chance."""
    deployment = platform.deployment
    budgets = [m.false_alarms_per_week for m in deployment.models.manifests()[-1:]]
    found = None
    if budgets and budgets[0] is not None:
        found = alarm_days(deployment.reader, deployment.registry(), budgets[0])
    if found is None:
        return dg.AssetCheckResult(passed=True, description="no model with an alarm budget yet")
    shown = "\n".join(f"- {name}: {count} days" for name, count in sorted(found.over.items()))
    return dg.AssetCheckResult(
        passed=not found.over,
        severity=_WARN,
        metadata={
            "days_allowed": round(found.allowed, 1),
            "meters_over": len(found.over),
            "meters": dg.MetadataValue.md(shown or "none"),
        },
    )


@dg.asset_check(asset="anomalies")
@fails_in_one_line
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
