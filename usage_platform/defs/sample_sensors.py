"""Sensors of live meters: one keeps the collector running, one averages samples to readings.

`sample_stream` averages within its tick, under a deadline well below Dagster's 60 seconds.
"""

import dagster as dg

from usage_platform.adapters.kafka.topics import (
    SAMPLE_TOPICS,
    ensure_topics,
)
from usage_platform.defs.failures import STAGE_ERRORS, skip_reason, skipped
from usage_platform.defs.idle_ticks import nothing_to_do
from usage_platform.defs.jobs import collecting
from usage_platform.defs.metadata import instant
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.sensors import WORKED_SECONDS, not_now
from usage_platform.services.average_samples import SampleAverager
from usage_platform.services.kept_client import KeptClient
from usage_platform.services.sample_result import SampleTick
from usage_platform.wiring.samples import described_samples, has_collector

_RUNNING = dg.DefaultSensorStatus.RUNNING
_SECONDS = 20.0


@dg.sensor(
    job=collecting,
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="Keeps the MQTT collector running, if USAGE_COLLECT_MQTT_URL is set.",
)
def collector_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.RunRequest | dg.SkipReason:
    """Keep the MQTT collector running, if a broker is set."""
    if not has_collector(platform.deployment.settings):
        return dg.SkipReason("no MQTT broker is set: USAGE_COLLECT_MQTT_URL")
    if reason := not_now(context, collecting.name, WORKED_SECONDS):
        return dg.SkipReason(reason)
    return dg.RunRequest()


_averager: KeptClient[SampleAverager] = KeptClient(
    lambda kafka, reader: SampleAverager(kafka, reader.lake)
)


@dg.sensor(
    asset_selection=dg.AssetSelection.assets("usage"),
    description="Averages samples of live meters to readings on `usage`, exactly once.",
    minimum_interval_seconds=15,
    default_status=_RUNNING,
)
def sample_stream(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.SensorResult | dg.SkipReason:
    """Average samples of live meters to readings on `usage`, exactly once.

    Consumes for at most 20 seconds; readings and offsets are committed in one Kafka transaction.
    Reports a materialization of `usage` for each tick that published readings.
    """
    deployment = platform.deployment
    try:
        notice = deployment.meters_notice()
        descriptions = described_samples(deployment)
        if not descriptions:
            return nothing_to_do("no meter has samples in assets/meters.yaml", notice)
        ensure_topics(deployment.kafka)
        ensure_topics(deployment.kafka, SAMPLE_TOPICS)
        with _averager.borrowed(deployment.kafka, deployment.reader) as averager:
            result = averager.tick(descriptions, deployment.registry(), _SECONDS)
    except STAGE_ERRORS as error:
        return skipped(error)
    for line in filter(None, (notice, *result.notices, *result.examples)):
        context.log.warning(line)
    if not result.readings:
        return skip_reason(f"{result.messages:,} messages, no new reading", notice)
    published = dg.AssetMaterialization("usage", metadata=_metadata(result))
    return dg.SensorResult(asset_events=[published])


def _metadata(result: SampleTick) -> dict[str, dg.MetadataValue | int | float | str]:
    return {
        "readings_from_samples": result.readings,
        "samples": result.messages - result.rejected.total(),
        "rejected_samples": result.rejected.total(),
        "rejected_by_reason": dg.MetadataValue.json(dict(result.rejected)),
        "event_time": instant(result.newest),
        "caught_up": str(result.is_caught_up),
        "seconds": round(result.seconds, 2),
    }
