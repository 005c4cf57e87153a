"""The sensor that sums groups: their readings on `usage`, from those of their meters.

Works within its tick, under a deadline well below Dagster's 60 seconds; without groups it reads one
small file.
"""

import time

import dagster as dg

from usage_platform.adapters.kafka.topics import ensure_topics
from usage_platform.defs.failures import STAGE_ERRORS, skip_reason, skipped
from usage_platform.defs.idle_ticks import nothing_to_do
from usage_platform.defs.metadata import instant
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.group_tick import GroupTick
from usage_platform.services.kept_client import KeptClient
from usage_platform.services.sum_groups import GroupSums
from usage_platform.wiring.groups import chosen_groups

_SECONDS = 20.0
_summer: KeptClient[GroupSums] = KeptClient(GroupSums)


@dg.sensor(
    asset_selection=dg.AssetSelection.assets("usage"),
    description="Sums the readings of groups of assets/groups.yaml, exactly once.",
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def group_stream(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.SensorResult | dg.SkipReason:
    """Sum the readings of groups that the last micro-batches have changed, exactly once.

    Works for at most 20 seconds; the sums and how far they are go into one Kafka transaction.
    Reports a materialization of `usage` for each tick that published readings. Warns of each meter
    that a group lacks, once.
    """
    deployment = platform.deployment
    try:
        chosen = chosen_groups(deployment, time.time())
        if chosen is None:
            return nothing_to_do("no groups in assets/groups.yaml")
        problems = "; ".join(chosen.problems)
        if not chosen.groups:
            names = ", ".join(chosen.waiting)
            waits = f"new groups, readings begin within two minutes: {names}"
            return skip_reason(waits if chosen.waiting else "no group has a sum", problems)
        ensure_topics(deployment.kafka)
        with _summer.borrowed(deployment.kafka, deployment.reader) as summer:
            result = summer.tick(chosen.groups, _SECONDS)
    except STAGE_ERRORS as error:
        return skipped(error)
    for one in result.missing:
        context.log.warning(one.line)
    if not result.readings:
        return skip_reason(f"no new sum on {result.days} days that were read", problems)
    published = dg.AssetMaterialization("usage", metadata=_metadata(result))
    return dg.SensorResult(asset_events=[published])


def _metadata(result: GroupTick) -> dict[str, dg.MetadataValue | int | float | str]:
    return {
        "readings_of_groups": result.readings,
        "groups": len(result.groups),
        "incomplete_intervals": result.incomplete,
        "missing": dg.MetadataValue.json([one.line for one in result.missing]),
        "event_time": instant(result.newest),
        "caught_up": str(result.is_caught_up),
        "seconds": round(result.seconds, 2),
    }
