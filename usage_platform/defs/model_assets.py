"""The model: an Isolation Forest a slot, trained from `readings`."""

import time
from datetime import UTC, date, datetime

import dagster as dg
from pydantic import Field

from usage_platform.adapters.lake_reader import LakeError
from usage_platform.adapters.plots import expected_week
from usage_platform.adapters.training import TrainingError, train_model
from usage_platform.core.slot_forests import MAX_HISTORY_DAYS
from usage_platform.defs.metadata import OWNERS, picture
from usage_platform.defs.resources import PlatformResource


class TrainingConfig(dg.Config):
    """What a model is trained on."""

    until: str | None = Field(
        None,
        description="Local day that the history ends before, like 2024-03-05; by default the day "
        "after the newest reading. The model judges readings from that day on.",
    )
    max_history_days: int = Field(
        MAX_HISTORY_DAYS, ge=28, description="How many days the history goes back."
    )


@dg.asset(group_name="model", kinds={"scikitlearn", "parquet"}, owners=OWNERS, deps=["readings"])
def slot_forests(
    context: dg.AssetExecutionContext, config: TrainingConfig, platform: PlatformResource
) -> dg.MaterializeResult:
    """An Isolation Forest for each meter, weekday and time of day, compiled to step functions.

    Kept under the lake's `models/` as Parquet with a JSON manifest; older models stay. A slot with
    fewer than four comparables has none and is not scored. A model judges the readings after its
    history, never those it has learned from.
    """
    deployment = platform.deployment
    started = time.monotonic()

    def progress(meter: str, done: int, total: int) -> None:
        if done % 672 == 0:
            context.log.info(f"{meter}: {done} of {total} slots")

    try:
        until = date.fromisoformat(config.until) if config.until else None
        model = train_model(
            deployment.reader,
            deployment.registry(),
            until,
            datetime.now(UTC),
            progress,
            config.max_history_days,
        )
    except (TrainingError, LakeError, ValueError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    is_new = deployment.models.save(model)
    manifest = model.manifest
    first = next(iter(model.forests.values()))
    return dg.MaterializeResult(
        metadata={
            "version": manifest.version,
            "is_new": is_new,
            "history_from": manifest.window_start,
            "history_until": manifest.window_end,
            "readings": manifest.readings,
            "meters": manifest.meters,
            "slots_trained": manifest.slots_trained,
            "slots_thin": manifest.slots_thin,
            "table_version": manifest.data_version,
            "seconds": round(time.monotonic() - started, 2),
            "expected_week": picture(expected_week(first.meter, first.low, first.high)),
        }
    )
