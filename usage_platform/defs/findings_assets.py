"""The table `usage_findings`: its asset and its check."""

import random
import secrets
import time

import dagster as dg
import pandas as pd

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.findings_table import known_findings
from usage_platform.adapters.lake.tables import READINGS, USAGE_FINDINGS
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import table_metadata
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.metadata import OWNERS
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.usage_findings import (
    compute_findings,
    present_of,
    wrong_findings,
)
from usage_platform.wiring.findings import finding_inputs, findings_record

_CHECKED_METERS = 3
_SHOWN_METERS = 20


# Not in the pool of writers: it takes its turn for each merge, and ingestion goes on meanwhile.
@dg.asset(
    group_name="lake",
    kinds={"delta"},
    owners=OWNERS,
    deps=["readings"],
    freshness_policy=freshness.FINDINGS,
    metadata=table_metadata(USAGE_FINDINGS),
    code_version="1",
    # One slot: two at once would each record a night, and take twice the memory.
    pool="findings",
)
@fails_in_one_line
def usage_findings(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult:
    """What each meter's quarter shows that costs energy, with its energy and cost per year.

    A finding keeps its row for as long as it is found, and after that. A meter that fails keeps the
    rows that it has; the check `findings_of_all_meters` names it.
    """
    deployment = platform.deployment
    started = time.monotonic()
    reader = deployment.reader
    as_of = present_of(reader, time.time_ns())
    if as_of is None:
        raise LakeError("readings: no readings yet")
    inputs, record = finding_inputs(deployment), findings_record(deployment)
    turn = deployment.lake_writer.turn
    done = compute_findings(inputs, record, as_of, turn, context.log.info)
    kinds = known_findings(reader)["kind"].value_counts()
    state = reader.state(USAGE_FINDINGS)
    return dg.MaterializeResult(
        metadata={
            "as_of": str(pd.Timestamp(as_of, tz="UTC")),
            "meters": done.run.meters,
            "failed_meters": len(done.run.failed),
            "findings": int(kinds.sum()),
            "new": done.new,
            "no_longer_found": done.gone,
            "kinds": dg.MetadataValue.json({str(k): int(n) for k, n in kinds.items()}),
            "dagster/row_count": state.rows,
            "table_version": state.version,
            "seconds": round(time.monotonic() - started, 2),
        }
    )


@dg.asset_check(asset="usage_findings")
@fails_in_one_line
def findings_of_all_meters(platform: PlatformResource) -> dg.AssetCheckResult:
    """No meter has failed in the last night, and those of a few random meters are right.

    They are compared with a recomputation, unless readings, tariffs or groups have changed since.
    """
    deployment = platform.deployment
    reader = deployment.reader
    run = findings_record(deployment).read()
    if run is None or not reader.exists(READINGS):
        return dg.AssetCheckResult(passed=True, description="usage_findings: no such table yet")
    inputs = finding_inputs(deployment)
    chosen: list[str] = []
    wrong = 0
    if inputs.digest(pd.Timestamp(run.as_of).value, reader.day_files(READINGS)) == run.digest:
        names = sorted({*known_findings(reader)["meter"], *inputs.registry.known} - {*run.failed})
        chosen = random.Random(secrets.randbits(32)).sample(  # noqa: S311 - a sample
            names, min(_CHECKED_METERS, len(names))
        )
        wrong = wrong_findings(inputs, run, chosen)
    failed = [f"- {name}: {reason}" for name, reason in sorted(run.failed.items())]
    return dg.AssetCheckResult(
        passed=not failed and not wrong,
        metadata={
            "meters": run.meters,
            "failed_meters": len(failed),
            "failed": dg.MetadataValue.md("\n".join(failed[:_SHOWN_METERS]) or "none"),
            "meters_compared": ", ".join(sorted(chosen)) or "none",
            "findings_wrong": wrong,
        },
    )
