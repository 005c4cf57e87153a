"""Asset checks of the tables' days: hourly those that have changed, weekly all of them."""

import time

import dagster as dg
import pandas as pd
from pydantic import Field

from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, LakeTable
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.defs.resources import PlatformResource
from usage_platform.services.check_days import DaysChecked, find_duplicates, find_wrong_hours

_CHECKED_UNTIL = "checked_until"
_BATCH_SECONDS = 20.0
_RECORDS = 20
_TWICE = dg.AssetCheckKey(dg.AssetKey("readings"), "no_reading_twice")
_HOURS = dg.AssetCheckKey(dg.AssetKey("usage_hourly"), "hours_equal_recompute")


class DaysConfig(dg.Config):
    """Which days are checked."""

    all_days: bool = Field(
        False,
        description="Check all days, not only those that have changed since the check last passed.",
    )


@dg.asset_check(asset="readings")
@fails_in_one_line
def no_reading_twice(
    context: dg.AssetCheckExecutionContext, config: DaysConfig, platform: PlatformResource
) -> dg.AssetCheckResult:
    """No meter has two readings for one interval, on the days that have changed."""
    reader = platform.deployment.reader
    if not reader.exists(READINGS):
        return _not_made_yet(READINGS)
    since = _since(context, config, _TWICE)
    found = find_duplicates(reader, since)
    counts = {"rows": found.compared, "duplicates": found.wrong}
    return _result(found, since, counts)


@dg.asset_check(asset="usage_hourly")
@fails_in_one_line
def hours_equal_recompute(
    context: dg.AssetCheckExecutionContext, config: DaysConfig, platform: PlatformResource
) -> dg.AssetCheckResult:
    """Every row of `usage_hourly` equals a recomputation from its readings, to the last bit.

    On the days that have changed. Micro-batches go on meanwhile, so what differs is compared again.
    """
    deployment = platform.deployment
    if not deployment.reader.exists(USAGE_HOURLY):
        return _not_made_yet(USAGE_HOURLY)
    since = _since(context, config, _HOURS)
    found = find_wrong_hours(
        deployment.reader,
        deployment.registry(),
        since,
        pause=_let_a_batch_end,
        now=lambda: pd.Timestamp.now(tz="UTC"),
    )
    counts = {"hours_compared": found.compared, "hours_wrong": found.wrong}
    return _result(found, since, counts)


DAY_CHECKS = (no_reading_twice, hours_equal_recompute)
"""The checks that look at days that have changed, unless they are asked for all days."""


def _let_a_batch_end() -> None:
    time.sleep(_BATCH_SECONDS)


def _not_made_yet(table: LakeTable) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True, description=f"{table.name}: no such table yet")


def _since(
    context: dg.AssetCheckExecutionContext, config: DaysConfig, key: dg.AssetCheckKey
) -> pd.Timestamp | None:
    """The newest change that the check has seen when it last passed or failed; None for all days.

    A check that fails keeps the instant from which it looked, so that it fails until the days are
    right.
    """
    if config.all_days:
        return None
    # This run's own record, which has no result yet, comes first; so do those of killed runs.
    records = context.instance.event_log_storage.get_asset_check_execution_history(key, _RECORDS)
    ended = [one.event for one in records if one.status.value != "PLANNED" and one.event]
    if not ended or ended[0].dagster_event is None:
        return None
    metadata = ended[0].dagster_event.asset_check_evaluation_data.metadata
    if _CHECKED_UNTIL not in metadata:
        return None
    return pd.Timestamp(str(metadata[_CHECKED_UNTIL].value))


def _result(
    found: DaysChecked, since: pd.Timestamp | None, counts: dict[str, int]
) -> dg.AssetCheckResult:
    until = since if found.wrong else found.until
    seen = {} if until is None else {_CHECKED_UNTIL: until.isoformat()}
    return dg.AssetCheckResult(
        passed=not found.wrong, metadata={"days_checked": found.days, **counts, **seen}
    )
