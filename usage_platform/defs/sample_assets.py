"""The topic `samples`: what live meters send, collected from a broker of MQTT."""

import time

import dagster as dg

from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.metadata import OWNERS
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.collect_samples import Collected
from usage_platform.wiring.samples import collector


@dg.asset(
    group_name="source",
    kinds={"kafka"},
    owners=OWNERS,
    code_version="1",
    # One slot: of two with one session at the broker each would end the other's connection.
    pool="collector",
)
@fails_in_one_line
def samples(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
    """The topic `samples`: what live meters send, from the broker that the settings name.

    A run without end, which reports its progress each minute. A message is acknowledged once Kafka
    has its sample, so that a run that was killed loses none that the broker keeps for it.
    """
    started = time.monotonic()

    def state(text: str) -> None:
        context.log.info("collecting") if not text else context.log.warning(text)

    def report(found: Collected) -> None:
        context.log_event(dg.AssetMaterialization("samples", metadata=_metadata(found, started)))

    found = collector(platform.deployment, state).run(lambda: False, report)
    return dg.MaterializeResult(metadata=_metadata(found, started))


def _metadata(found: Collected, started: float) -> dict[str, int | float]:
    return {
        "samples": found.samples,
        "meters": len(found.meters),
        "messages_of_no_meter": found.unnamed,
        "seconds": round(time.monotonic() - started, 2),
    }
