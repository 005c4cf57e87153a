"""The model asset: a detector for each meter, trained from `readings`."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

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
from usage_platform.adapters.processes.pool import (
    WorkerKilledError,
    ended_processes,
    map_in_processes,
)
from usage_platform.cluster.request import TrainModels
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.manifest import Detector, Model
from usage_platform.core.detector.model_timeline import LOOK_BACK, scored_by
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import LAKE, place_metadata
from usage_platform.defs.emr_serverless import Compute, ComputeConfig, done_on_emr
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.metadata import OWNERS, picture
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.due_models import due_models
from usage_platform.services.train import TrainingResult, reading_days, train_and_promote
from usage_platform.services.train_bucket import on_executors
from usage_platform.services.train_weeks import TrainingError, TrainingRequest
from usage_platform.settings.settings import SettingsError
from usage_platform.wiring.platform import Platform

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
        None, description=f"{', '.join(Method)}; by default the setting USAGE_METHOD."
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
    # A lake has one training at a time; two would write the same files.
    pool="training",
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
        result = _trained(context, config, deployment)
    except (TrainingError, WorkerKilledError, LakeError, SettingsError, ValueError) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    newest = deployment.models.load(result.versions[-1])
    yield dg.MaterializeResult(
        metadata={
            **_metadata(newest, deployment),
            "models": len(result.versions),
            "promoted": len(result.promoted),
            "meters_failed": len(result.failed),
            "seconds": round(time.monotonic() - started, 2),
        },
        check_results=[_check(newest.manifest.version, result.examined)],
    )


def _trained(
    context: dg.AssetExecutionContext, config: TrainingConfig, deployment: Platform
) -> TrainingResult:
    request = _request(config, deployment)
    if config.compute is Compute.emr_serverless:
        done = done_on_emr(context, deployment, TrainModels.of(request))
        examined = Examined(**done["examined"])
        return TrainingResult(done["versions"], done["promoted"], examined, done["failed"])
    train = partial(
        train_and_promote,
        deployment.models,
        deployment.reader,
        deployment.registry(),
        deployment.labels.read(),
        request,
        datetime.now(UTC),
        context.log.info,
    )
    if not deployment.executor_tasks:
        with ended_processes():
            return train(map_in_processes)
    # Without the lease, as in a job elsewhere: no table is written.
    with deployment.spark_session() as spark:
        return train(partial(on_executors, spark))


def _request(config: TrainingConfig, deployment: Platform) -> TrainingRequest:
    untils = _untils(config, deployment)
    if not untils:
        raise TrainingError("every model that the readings allow is there")
    options = _options(config, deployment)
    return TrainingRequest(untils, options, tuple(config.meters), config.promote_anyway)


def _untils(config: TrainingConfig, deployment: Platform) -> Sequence[date]:
    if config.until:
        return [_day(config.until)]
    if config.due:
        return due_models(deployment.reader, deployment.models, deployment.settings.timezone)
    days = reading_days(deployment.reader, deployment.settings.timezone)
    if days is None:
        raise TrainingError("readings: the table is empty; play some readings first")
    return [days[1] + timedelta(days=1)]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise TrainingError(f"until: expected a day like 2024-03-05, got {text!r}") from None


def _options(config: TrainingConfig, deployment: Platform) -> TrainingOptions:
    options = deployment.training_options()
    if config.method is not None:
        if config.method not in set(Method):
            known = ", ".join(Method)
            raise TrainingError(f"method: expected one of {known}, got {config.method!r}")
        options = replace(options, method=Method(config.method))
    if config.false_alarms_per_week is not None:
        options = replace(options, false_alarms_per_week=config.false_alarms_per_week)
    return options


def _metadata(
    model: Model, deployment: Platform
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
        "days_until_all_are_scored": manifest.days_left,
        "slots_trained": manifest.slots_trained,
        "slots_thin": manifest.slots_thin,
        "table_version": manifest.data_version,
    }
    if name := min(model.detectors, default=None):
        first = model.detectors[name]
        metadata["expected_week"] = picture(expected_week(first))
        judged = _last_weeks(first, manifest.end, deployment)
        if len(judged):
            metadata["last_weeks"] = picture(last_weeks(judged, first.meter))
            metadata["scores"] = picture(score_distribution(judged, first.meter))
    return metadata


def _last_weeks(detector: Detector, end: pd.Timestamp, deployment: Platform) -> pd.DataFrame:
    """How a new detector scores the last weeks of its own training history."""
    start = end - _SHOWN
    columns = ["meter", "event_time", "value"]
    name = detector.meter.name
    first = (start - LOOK_BACK).date()
    rows = deployment.reader.rows(READINGS, columns, first, end.date(), [name])
    history = ReadingHistory()
    history.add(rows)
    series = history.of(name).until(end.value)
    return scored_by(detector, series, start.value)


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
