"""The source of readings and its playback onto the topic `usage`."""

import time
from dataclasses import replace
from datetime import date

import dagster as dg
import pandas as pd
from confluent_kafka import KafkaException
from pydantic import Field

from usage_platform.adapters.drawing.plots import weekday_profile
from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.adapters.kafka.playback_lease import PlaybackLease, PlaybackLeaseError
from usage_platform.adapters.kafka.topics import KafkaUnreachableError, end_offsets, ensure_topics
from usage_platform.adapters.lake.holder_id import holder_of
from usage_platform.core.readings.pacing import Pace
from usage_platform.core.readings.source import SourceError
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import LAKE, place_metadata
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.metadata import OWNERS, picture
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.source_progress import (
    LoadingReport,
    PlaybackReport,
    playback_metadata,
)
from usage_platform.services.play import PlaybackError, play
from usage_platform.services.playback_plan import PlaybackPlan
from usage_platform.services.playback_topic import PlayedTopic, TopicChangedError
from usage_platform.wiring.platform import Platform
from usage_platform.wiring.sources import described_identity, source_identity

_SHOWN_BAD_ROWS = 20


@dg.asset(
    group_name="source",
    kinds={"python", "parquet"},
    owners=OWNERS,
    metadata=place_metadata(f"{LAKE.assets}/source_readings"),
    code_version="1",
)
@fails_in_one_line
def source_readings(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult:
    """The readings of the source that `USAGE_SOURCE` names: CSV, open-data portal or generator.

    Sorted, one row a meter and interval, in UTC; stored as Parquet under the lake's `assets/`. Rows
    that cannot be parsed are reported here with file and row number and do not stop the load.
    """
    deployment = platform.deployment
    settings = deployment.settings
    started = time.monotonic()
    # Before loading: what changes meanwhile is then loaded again.
    identity, applied = source_identity(settings), deployment.meters.applied()
    if applied.notice:
        context.log.warning(applied.notice)
    try:
        source = deployment.reading_source()
        context.log.info(f"loading {source.name}")
        loaded = source.load(LoadingReport(context))
        loaded.check_readable()
        loaded.check_accepted(pd.Timestamp.now(tz="UTC"), settings.event_limits)
    except SourceError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    names = loaded.frame["meter"].unique()
    version = described_identity(identity, applied.descriptions, names).version
    summary = deployment.source_cache.save(version, loaded, settings.default_meter)
    for note in loaded.notes:
        context.log.info(note)
    for row in loaded.bad_rows[:_SHOWN_BAD_ROWS]:
        context.log.warning(str(row))
    frame = loaded.frame
    metadata = {
        "source": source.name,
        "dagster/row_count": summary.readings,
        "rows_in_source": loaded.rows,
        "repeated_rows": summary.repeated_rows,
        "bad_rows": summary.bad_rows,
        "meters": len(loaded.meters),
        "labelled_faults": 0 if loaded.faults is None else len(loaded.faults),
        "seconds": round(time.monotonic() - started, 2),
    }
    if applied.notice:
        metadata["notice"] = applied.notice
    if len(frame):
        first = loaded.meters[0]
        own = frame[frame["meter"] == first.name].rename(columns={"ts": "event_time"})
        metadata |= {
            "first_reading": dg.MetadataValue.timestamp(frame["ts"].iloc[0].to_pydatetime()),
            "last_reading": dg.MetadataValue.timestamp(frame["ts"].iloc[-1].to_pydatetime()),
            "weekday_profile": picture(weekday_profile(own, first)),
        }
    if loaded.bad_rows:
        metadata["bad_rows_shown"] = dg.MetadataValue.md(
            "\n".join(f"- {row}" for row in loaded.bad_rows[:_SHOWN_BAD_ROWS])
        )
    return dg.MaterializeResult(metadata=metadata)


class PlaybackConfig(dg.Config):
    """How the source is played. Defaults come from the settings `USAGE_*`."""

    start_date: str | None = Field(
        None, description="First local day to play, like 2024-03-05; all of the source by default."
    )
    step_minutes: int | None = Field(
        None,
        gt=0,
        description="Minutes of event time between two steps; the meter's interval by default.",
    )
    accelerator: float | None = Field(
        None,
        ge=0,
        description="One step every step_minutes * 60 / accelerator seconds; 0 = as fast as the "
        "broker takes them.",
    )
    max_iterations: int | None = Field(
        None, gt=0, description="Maximum number of readings to play; all by default."
    )
    history_days: int | None = Field(
        None, ge=0, description="Days at the start that are played without pacing."
    )


@dg.asset(
    group_name="stream",
    kinds={"kafka"},
    owners=OWNERS,
    deps=[source_readings, "samples"],
    freshness_policy=freshness.STREAM,
    code_version="1",
    # One slot: a second run waits here; one of another Dagster instance is refused by the lease.
    pool="playback",
)
@fails_in_one_line
def usage(
    context: dg.AssetExecutionContext, config: PlaybackConfig, platform: PlatformResource
) -> dg.MaterializeResult:
    """The topic `usage`: the source's readings, played in event order at a chosen pace.

    A long run: it ends when the source is exhausted, and reports its progress each minute. It
    resumes after each meter's last played reading, also of a file that grew, so that a run that was
    killed and started again neither repeats nor skips a reading.
    """
    deployment = platform.deployment
    kafka = deployment.kafka
    try:
        ensure_topics(kafka)
        plan, loaded = _plan(deployment, config), deployment.source_cache.readings()
        with PlaybackLease(kafka, str(holder_of(deployment.settings.data_dir))) as lease:
            # Under the lease: nobody else may add to the topic after this look at it.
            played = plan.played(loaded, kafka, deployment.registry())
            if played.notice:
                context.log.warning(played.notice)
            todo = plan.remaining(loaded, played)
            context.log.info(f"playing {len(todo):,} readings to {kafka.bootstrap}")
            report = PlaybackReport(context, kafka)
            pace = _pace(deployment, config, plan, loaded)
            topic = PlayedTopic(kafka, played.topic_id)

            def check() -> None:
                lease.check()
                topic.check()

            progress = play(kafka, todo, plan.identity.name, pace, report, check)
            plan.keep_end(loaded, played, kafka)
        offsets = end_offsets(kafka, "usage")
    except (
        KafkaUnreachableError,
        PlaybackError,
        PlaybackLeaseError,
        TopicChangedError,
        FileNotFoundError,
        ValueError,
    ) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    except KafkaException as error:
        raise dg.Failure(description=kafka_error_line(error)) from None
    return dg.MaterializeResult(metadata=playback_metadata(progress, offsets))


def _plan(deployment: Platform, config: PlaybackConfig) -> PlaybackPlan:
    plan = deployment.playback_plan()
    first_day = _local_day(config.start_date) if config.start_date else plan.first_day
    limit = config.max_iterations or plan.max_iterations
    return replace(plan, first_day=first_day, max_iterations=limit)


def _pace(
    deployment: Platform, config: PlaybackConfig, plan: PlaybackPlan, loaded: pd.DataFrame
) -> Pace:
    settings = deployment.settings
    return plan.pace(
        loaded,
        config.step_minutes or settings.interval_minutes,
        settings.accelerator if config.accelerator is None else config.accelerator,
        settings.history_days if config.history_days is None else config.history_days,
    )


def _local_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"start_date: expected a day like 2024-03-05, got {text!r}") from None
