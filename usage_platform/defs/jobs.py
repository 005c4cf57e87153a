"""Jobs: what sensors and schedules launch."""

import dagster as dg

from usage_platform.defs.anomaly_assets import anomalies
from usage_platform.defs.cost_assets import usage_cost
from usage_platform.defs.findings_assets import usage_findings
from usage_platform.defs.lake_assets import streams_into_lake, usage_hourly
from usage_platform.defs.model_assets import slot_forests
from usage_platform.defs.profile_assets import profile_report
from usage_platform.defs.sample_assets import samples
from usage_platform.defs.source_assets import source_readings, usage

_MAX_RUNTIME = "dagster/max_runtime"
AGAIN = {"dagster/max_retries": 1}
"""Of jobs that a schedule starts seldom: a run that was killed is started again, once."""
# Between two of the runs that wait for the lake, a year's months of costs say, events are ingested.
_FIRST = {"dagster/priority": "10"}
# Training evaluates it on the model that it makes; it cannot run alone.
_TRAINING_CHECK = dg.AssetSelection.checks(dg.AssetCheckKey(slot_forests.key, "model_is_fit"))

playback = dg.define_asset_job(
    "playback",
    dg.AssetSelection.assets(source_readings, usage).without_checks(),
    description="Load the source and play it onto the topic `usage` until it is exhausted.",
)
collecting = dg.define_asset_job(
    "collecting",
    dg.AssetSelection.assets(samples).without_checks(),
    description="Collect samples of live meters from the MQTT broker, until it is stopped.",
)
micro_batch = dg.define_asset_job(
    "micro_batch",
    dg.AssetSelection.assets(streams_into_lake).without_checks(),
    description="Ingest the backlog of the topics `usage` and `anomaly` into the lake.",
    tags={_MAX_RUNTIME: 3600, **_FIRST},
)
retrain = dg.define_asset_job(
    "retrain",
    dg.AssetSelection.assets(slot_forests).without_checks() | _TRAINING_CHECK,
    description="Train a new model from `readings`, and promote it if it passes `model_is_fit`.",
    tags={_MAX_RUNTIME: 7200},
)
quality = dg.define_asset_job(
    "quality",
    dg.AssetSelection.all_asset_checks() - _TRAINING_CHECK,
    description="Run all asset checks but `model_is_fit`, which training evaluates.",
    tags={_MAX_RUNTIME: 3600},
)
backfill = dg.define_asset_job(
    "backfill",
    dg.AssetSelection.assets(usage_hourly, anomalies).without_checks(),
    description="Recompute days of `usage_hourly` and `anomalies` from `readings`.",
)
report = dg.define_asset_job(
    "report",
    dg.AssetSelection.assets(profile_report).without_checks(),
    description="Build the monthly profile report.",
    tags={_MAX_RUNTIME: 3600, **AGAIN},
)
costs = dg.define_asset_job(
    "costs",
    dg.AssetSelection.assets(usage_cost).without_checks(),
    description="Compute months of `usage_cost` from `readings` and the tariffs.",
    tags={_MAX_RUNTIME: 7200, **AGAIN},
)
findings = dg.define_asset_job(
    "findings",
    dg.AssetSelection.assets(usage_findings).without_checks(),
    description="Compute `usage_findings` of all meters from `readings` and the tariffs.",
    tags={_MAX_RUNTIME: 14400, **AGAIN},
)
