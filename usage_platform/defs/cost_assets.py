"""The table `usage_cost`: its asset and its check."""

import random
import secrets
import time
from datetime import date

import dagster as dg

from usage_platform.adapters.lake.tables import READINGS, USAGE_COST
from usage_platform.core.load.month import Month
from usage_platform.defs import freshness
from usage_platform.defs.asset_metadata import table_metadata
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.lake_assets import WRITER_POOL
from usage_platform.defs.metadata import OWNERS
from usage_platform.defs.partitions import MONTHLY
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.usage_cost import compute_month, months_due, wrong_hours

_CHECKED_METERS = 5


@dg.asset(
    group_name="lake",
    kinds={"delta"},
    owners=OWNERS,
    deps=["readings"],
    partitions_def=MONTHLY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    freshness_policy=freshness.COSTS,
    metadata=table_metadata(USAGE_COST),
    code_version="1",
    pool=WRITER_POOL,
)
@fails_in_one_line
def usage_cost(
    context: dg.AssetExecutionContext, platform: PlatformResource
) -> dg.MaterializeResult:
    """Cost and emissions of each hour of each meter by its tariffs, before taxes and demand.

    A partition is a month in each meter's local time. Materializing it again changes only rows that
    another price or a late reading has changed.
    """
    deployment = platform.deployment
    started = time.monotonic()
    inputs, record = deployment.cost_inputs(), deployment.cost_record
    months = [Month(date.fromisoformat(key)) for key in context.partition_keys]
    with deployment.lake_writer.turn() as turn:
        progress = turn.checked(context.log.info)
        hours = sum(compute_month(inputs, record, month, progress) for month in months)
    state = deployment.reader.state(USAGE_COST)
    return dg.MaterializeResult(
        metadata={
            "hours": hours,
            "tariffs": len(inputs.book.tariffs),
            "dagster/row_count": state.rows,
            "table_version": state.version,
            "seconds": round(time.monotonic() - started, 2),
        }
    )


@dg.asset_check(asset="usage_cost")
@fails_in_one_line
def costs_equal_recompute(platform: PlatformResource) -> dg.AssetCheckResult:
    """The newest computed month of a few random meters equals a recomputation, to the last bit.

    Months whose readings or tariffs have changed since are left to the next run of `costs`.
    """
    deployment = platform.deployment
    reader = deployment.reader
    if not reader.exists(USAGE_COST) or not reader.exists(READINGS):
        return dg.AssetCheckResult(passed=True, description="usage_cost: no such table yet")
    inputs, record = deployment.cost_inputs(), deployment.cost_record
    due = {month.label for month in months_due(inputs, record)}
    settled = sorted((label for label in record.read() if label not in due), reverse=True)
    months = (Month(date.fromisoformat(f"{label}-01")) for label in settled)
    # The month after the newest reading may be computed already, without a row.
    with_meters = ((month, reader.meters(READINGS, month.first, month.last)) for month in months)
    month, names = next((one for one in with_meters if one[1]), (None, []))
    if month is None:
        return dg.AssetCheckResult(passed=True, description="every month waits for the next run")
    chosen = random.Random(secrets.randbits(32)).sample(  # noqa: S311 - a sample
        names, min(_CHECKED_METERS, len(names))
    )
    compared, wrong = wrong_hours(inputs, month, chosen)
    return dg.AssetCheckResult(
        passed=not wrong,
        metadata={
            "month": month.label,
            "meters": ", ".join(sorted(chosen)),
            "hours_compared": compared,
            "hours_wrong": wrong,
            "months_due": len(due),
        },
    )
