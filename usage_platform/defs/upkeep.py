"""Upkeep: the nightly maintenance of the lake, of Dagster's history and of models, as one job.

Belongs here: the ops and the job. Not here: the maintenance of a table
(`adapters.spark.maintenance`) or of Dagster's history (`run_history`), which models are useless
(`core.detector.retention`), or its schedule.
"""

import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd

from usage_platform.adapters.lake.run_totals import add_run_totals
from usage_platform.adapters.spark.maintenance import Upkept, keep_tables
from usage_platform.core.detector.retention import useless
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.jobs import AGAIN
from usage_platform.defs.lake_assets import WRITER_POOL
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.run_history import forget_runs, forget_ticks

# Nothing else can write to the lake meanwhile: the rest is left to the next night.
_SECONDS_TO_FORGET = 120.0
_TICKED_ASSET = dg.AssetKey("anomaly")


@dg.op(pool=WRITER_POOL)
@fails_in_one_line
def keep_lake(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Compact the files of past days, vacuum replaced ones, trim the tables' logs."""
    deployment = platform.deployment
    hours = deployment.settings.vacuum_hours
    with deployment.lake_writer.session() as spark:
        done = keep_tables(spark, deployment.reader, hours)
    for one in done:
        context.log.info(
            f"{one.table}: {one.days_joined:,} days joined, {one.files_before:,} files became "
            f"{one.files_after:,}, {one.files_removed:,} of past states removed"
        )
    context.add_output_metadata(
        {
            "tables": _as_table(done),
            "files_removed": sum(one.files_removed for one in done),
            "past_states_kept_hours": hours,
        }
    )


def _as_table(done: list[Upkept]) -> dg.TableMetadataValue:
    schema = dg.TableSchema(
        [dg.TableColumn(name, "string" if name == "table" else "int") for name in _COLUMNS]
    )
    return dg.MetadataValue.table([dg.TableRecord(asdict(one)) for one in done], schema)


_COLUMNS = tuple(Upkept.__dataclass_fields__)


@dg.op(pool=WRITER_POOL, ins={"lake_is_kept": dg.In(dg.Nothing)})
@fails_in_one_line
def forget_history(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Remove old runs, with events and logs, from Dagster; keep their totals in the lake."""
    deployment, instance = platform.deployment, context.instance
    days = deployment.settings.history_keep_days
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    before = midnight - timedelta(days=days)
    give_up = time.monotonic() + _SECONDS_TO_FORGET
    with deployment.lake_writer.turn():

        def add(totals: pd.DataFrame) -> None:
            add_run_totals(deployment.lake, totals)

        done = forget_runs(instance, before, add, lambda: time.monotonic() > give_up)
    told_again = forget_ticks(instance, _TICKED_ASSET, before)
    context.log.info(
        f"{done.runs:,} runs from before {before:%Y-%m-%d} removed, {done.kept:,} kept as they "
        f"hold the latest materialization of something"
    )
    if not done.is_done:
        context.log.warning("more runs are due: the next upkeep removes them")
    context.add_output_metadata(
        {
            "runs_removed": done.runs,
            "runs_kept": done.kept,
            "files_removed": done.files,
            "all_due_removed": done.is_done,
            "tick_events_reported_again": told_again,
            "history_kept_days": days,
        }
    )


@dg.op(ins={"history_is_forgotten": dg.In(dg.Nothing)})
@fails_in_one_line
def remove_useless_models(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """Remove stored models that can score no reading any more, of past or future."""
    store = platform.deployment.models
    gone = useless(store.candidates(), store.promoted(), pd.Timestamp.now(tz="UTC"))
    freed = sum(store.bytes_of(one.version) for one in gone)
    for one in gone:
        store.remove(one.version)
        context.log.info(f"model {one.version} removed: it scores no reading any more")
    context.add_output_metadata({"models_removed": len(gone), "bytes_freed": freed})


@dg.job(
    description="Compact the lake's tables, trim Dagster's history and remove models that score "
    "nothing; needed once a day.",
    tags={"dagster/max_runtime": 7200, **AGAIN},
)
def upkeep() -> None:
    """Maintain the lake, then the history, then the models."""
    remove_useless_models(history_is_forgotten=forget_history(lake_is_kept=keep_lake()))
