"""Why no asset check has partitions: what Dagster does with such checks (decision 15).

These are facts of Dagster. When one of them fails, it has learned what we wait for.
"""

import dagster as dg
import pytest

DAYS = dg.DailyPartitionsDefinition(start_date="2024-01-01")


@dg.asset(partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def hours() -> None: ...


@dg.asset
def readings() -> None: ...


@dg.asset_check(asset=hours, partitions_def=DAYS)
def each_day():
    return dg.AssetCheckResult(passed=True)


@dg.asset_check(asset=readings)
def whole_table():
    return dg.AssetCheckResult(passed=True)


ONE_PROCESS = {"executor_def": dg.in_process_executor}
DEFS = dg.Definitions(
    [hours, readings],
    asset_checks=[each_day, whole_table],
    jobs=[
        dg.define_asset_job("quality", dg.AssetSelection.all_asset_checks(), **ONE_PROCESS),
        dg.define_asset_job("backfill", [hours], **ONE_PROCESS),
    ],
)


def evaluated(job: str, **how) -> list[tuple[str, str | None]]:
    """The checks that a run of a job evaluated, with their partitions."""
    with dg.DagsterInstance.ephemeral() as instance:
        done = DEFS.resolve_job_def(job).execute_in_process(instance=instance, **how)
    return [(one.check_name, one.partition) for one in done.get_asset_check_evaluations()]


def test_a_backfill_in_one_run_gives_no_day_a_result():
    days = {"start": "2024-01-02", "end": "2024-01-05"}
    tags = {f"dagster/asset_partition_range_{end}": day for end, day in days.items()}
    assert evaluated("backfill", tags=tags) == [("each_day", None)]
    assert evaluated("backfill", partition_key="2024-01-02") == [("each_day", "2024-01-02")]


def test_a_job_of_all_checks_gives_no_day_a_result_either():
    assert sorted(evaluated("quality")) == [("each_day", None), ("whole_table", None)]


def test_a_job_of_all_checks_cannot_be_run_for_one_day():
    with pytest.raises(Exception, match="no PartitionsDefinition shared by all"):
        evaluated("quality", partition_key="2024-01-02")
