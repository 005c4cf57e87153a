"""The model asset: a detector for each meter, trained from `readings`."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pandas as pd
from pydantic import Field

from usage_platform.adapters.drawing.model_plots import (
    expected_week,
    last_weeks,
    score_distribution,
)
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.cluster.request import TrainModels
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.manifest import Detector, Model
from usage_platform.core.detector.model import DetectorModel, Method, Tuning
from usage_platform.core.detector.model_timeline import LOOK_BACK, judged_by
from usage_platform.core.detector.schedule import due
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import LAKE, place_metadata
from usage_platform.defs.emr_serverless import Compute, ComputeConfig, done_on_emr
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.metadata import OWNERS, picture
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.train import TrainingError, Wishes, reading_days
from usage_platform.services.train_request import ModelOrder, OrderedModels, train_into
from usage_platform.settings.settings import SettingsError
from usage_platform.wiring.platform import Deployment

_SHOWN = timedelta(days=14)


class TrainingConfig(ComputeConfig):
    """What a model is trained on, and where."""

    until: str | None = Field(
        None,
        description="Local day that the training history ends before, like 2024-03-05; by default "
        "the day after the newest reading. The model scores readings from the day after it on.",
    )
    due: bool = Field(
        False,
        description="Train every weekly model that the readings allow and that does not exist yet.",
    )
    meters: list[str] = Field(
        default_factory=list,
        description="Train these meters only; the others keep their detectors.",
    )
    method: str | None = Field(
        None, description="forest, robust_z or blog; by default the setting USAGE_METHOD."
    )
    false_alarms_per_week: float | None = Field(
        None, description="Alarm budget; by default the setting USAGE_FALSE_ALARMS_PER_WEEK."
    )
    promote_anyway: bool = Field(
        False, description="Promote the model even if `model_is_fit` fails."
    )


@dg.asset(
    group_name="model",
    kinds={"scikitlearn", "parquet"},
    owners=OWNERS,
    deps=["readings"],
    freshness_policy=freshness.MODEL,
    metadata=place_metadata(LAKE.models),
    code_version="1",
    check_specs=[
        dg.AssetCheckSpec(
            "model_is_fit",
            asset="slot_forests",
            description="Backtest on the last weeks: the new model keeps the alarm budget and "
            "detects as many injected faults as the previous one; else it is not promoted.",
        )
    ],
)
@fails_in_one_line
def slot_forests(
    context: dg.AssetExecutionContext, config: TrainingConfig, platform: PlatformResource
) -> Iterator[dg.MaterializeResult]:
    """Each meter's expected load by weekday and time of day, with Isolation Forests on top.

    Stored under the lake's `models/` as Parquet with a JSON manifest; older models are kept. A
    model scores readings after its training history only, once the check `model_is_fit` has
    promoted it.
    """
    deployment = platform.deployment
    started = time.monotonic()
    try:
        ordered = _ordered(context, config, deployment)
    except (TrainingError, LakeError, SettingsError, ValueError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    newest = deployment.models.load(ordered.versions[-1])
    yield dg.MaterializeResult(
        metadata={
            **_metadata(newest, deployment),
            "models": len(ordered.versions),
            "promoted": len(ordered.promoted),
            "seconds": round(time.monotonic() - started, 2),
        },
        check_results=[_check(newest.manifest.version, ordered.examined)],
    )


def _ordered(
    context: dg.AssetExecutionContext, config: TrainingConfig, deployment: Deployment
) -> OrderedModels:
    order = _order(config, deployment)
    if config.compute is Compute.emr_serverless:
        done = done_on_emr(context, deployment, TrainModels.of(order))
        return OrderedModels(done["versions"], done["promoted"], Examined(**done["examined"]))
    return train_into(
        deployment.models,
        deployment.reader,
        deployment.registry(),
        order,
        datetime.now(UTC),
        context.log.info,
    )


def _order(config: TrainingConfig, deployment: Deployment) -> ModelOrder:
    untils = _untils(config, deployment)
    if not untils:
        raise TrainingError("every model that the readings allow is there")
    return ModelOrder(untils, _wishes(config, deployment), config.promote_anyway)


def _untils(config: TrainingConfig, deployment: Deployment) -> Sequence[date]:
    if config.until:
        return [_day(config.until)]
    if config.due:
        return due_now(deployment)
    days = reading_days(deployment.reader, deployment.settings.timezone)
    if days is None:
        raise TrainingError("readings: the table is empty; play some readings first")
    return [days[1] + timedelta(days=1)]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise TrainingError(f"until: expected a day like 2024-03-05, got {text!r}") from None


def due_now(deployment: Deployment) -> list[date]:
    """The ends of the histories of the models that can be trained and are not yet."""
    zone = deployment.settings.timezone
    days = reading_days(deployment.reader, zone)
    if days is None:
        return []
    return due(*days, deployment.models.newest_end(zone))


def _wishes(config: TrainingConfig, deployment: Deployment) -> Wishes:
    wishes = deployment.wishes()
    if config.method is not None:
        if config.method not in set(Method):
            known = ", ".join(Method)
            raise TrainingError(f"method: expected one of {known}, got {config.method!r}")
        wishes = replace(wishes, method=Method(config.method))
    if config.false_alarms_per_week is not None:
        share = deployment.settings.least_share
        wishes = replace(wishes, tuning=Tuning(config.false_alarms_per_week, share))
    return replace(wishes, meters=tuple(config.meters))


def _metadata(
    model: Model, deployment: Deployment
) -> dict[str, dg.MetadataValue | int | float | str]:
    manifest = model.manifest
    metadata: dict[str, dg.MetadataValue | int | float | str] = {
        "version": manifest.version,
        "method": manifest.method,
        "history_from": manifest.window_start,
        "history_until": manifest.window_end,
        "judges_from": manifest.judges_from,
        "readings": manifest.readings,
        "left_out": manifest.left_out,
        "meters": manifest.meters,
        "meters_learning": manifest.meters_learning,
        "days_until_all_are_scored": max(map(_days_left, model.detectors.values()), default=0),
        "slots_trained": manifest.slots_trained,
        "slots_thin": manifest.slots_thin,
        "table_version": manifest.data_version,
    }
    if model.detectors:
        first = model.detectors[min(model.detectors)]
        metadata["expected_week"] = picture(expected_week(first))
        judged = _last_weeks(first, manifest.end, deployment)
        if len(judged):
            metadata["last_weeks"] = picture(last_weeks(judged, first.meter))
            metadata["scores"] = picture(score_distribution(judged, first.meter))
    return metadata


def _days_left(detector: Detector) -> int:
    """How many more days of readings a meter needs before more than rules score it."""
    return detector.days_left if isinstance(detector, DetectorModel) else 0


def _last_weeks(detector: Detector, end: pd.Timestamp, deployment: Deployment) -> pd.DataFrame:
    """How a new detector judges the last weeks that it has learned from."""
    start = end - _SHOWN
    columns = ["meter", "event_time", "value"]
    rows = deployment.reader.rows(READINGS, columns, (start - LOOK_BACK).date(), end.date())
    history = ReadingHistory()
    history.add(rows)
    series = history.of(detector.meter.name).until(end.value)
    return judged_by(detector, series, start.value)


def _check(version: str, examined: Examined) -> dg.AssetCheckResult:
    words = "there is nothing to compare with yet" if not examined.weeks else None
    return dg.AssetCheckResult(
        check_name="model_is_fit",
        passed=examined.is_fit,
        severity=dg.AssetCheckSeverity.WARN,
        description=words,
        metadata={
            "version": version,
            "alarm_days": examined.alarm_days,
            "alarm_days_allowed": examined.budget,
            "alarm_days_of_previous_model": examined.alarm_days_before,
            "injected_faults": examined.faults,
            "detected": examined.found,
            "detected_by_previous_model": examined.found_before,
        },
    )
