"""Forgetting old runs: what nobody needs goes from the disk, and what it came to is kept."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pandas as pd
import pytest

from usage_platform.defs.run_history import Forgotten, forget_runs, forget_ticks
from usage_platform_tests.repository import ROOT

# Two days on: the tests may run across midnight.
LATER = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
ANOMALY = dg.AssetKey("anomaly")
HOURLY = dg.AssetKey("usage_hourly")


@dg.asset
def readings(context):
    """As the micro-batch: its table, and the days of another one that it changed."""
    print("a line for the compute logs")
    if "day" in context.run.tags:
        context.log_event(
            dg.AssetMaterialization("usage_hourly", "day", partition=context.run.tags["day"])
        )
    if "fails" in context.run.tags:
        raise dg.Failure("no", allow_retries=False)
    return dg.MaterializeResult(metadata={"events": 10})


@dg.asset_check(asset="readings")
def a_check():
    return dg.AssetCheckResult(passed=True)


JOB = dg.define_asset_job("micro_batch", [readings], executor_def=dg.in_process_executor)
DEFS = dg.Definitions([readings], jobs=[JOB])
QUALITY = dg.define_asset_job("quality", dg.AssetSelection.all_asset_checks())
CHECKED = dg.Definitions([readings], jobs=[QUALITY], asset_checks=[a_check])


@pytest.fixture
def home(tmp_path):
    """An instance as the platform has it, with its files under `tmp_path`."""
    text = (ROOT / "dagster.yaml").read_text("utf-8")
    (tmp_path / "dagster.yaml").write_text(text.replace(".usage/", f"{tmp_path}/"))
    return tmp_path


@pytest.fixture
def instance(home):
    with dg.DagsterInstance.from_config(str(home)) as found:
        yield found


@pytest.fixture
def run(instance):
    def make(**tags):
        job = DEFS.resolve_job_def("micro_batch")
        return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False).run_id

    return make


@pytest.fixture
def totals():
    return []


def forget(instance, totals, before=LATER, most=1000):
    """Forget what ended before an instant, at most so many runs."""
    left = iter([False] * most)
    return forget_runs(instance, before, totals.append, lambda: next(left, True))


def files_of(home, run_id):
    return list(home.rglob(f"*{run_id}*"))


def test_old_runs_go_with_their_files_and_what_they_came_to_is_kept(instance, run, home, totals):
    ids = [run(), run(fails="yes"), run()]
    assert all(len(files_of(home, run_id)) == 2 for run_id in ids)
    done = forget(instance, totals)
    assert done == Forgotten(runs=2, kept=1, files=4, is_done=True)
    assert [files_of(home, run_id) != [] for run_id in ids] == [False, False, True]
    (told,) = totals
    assert told.drop(columns="seconds").to_dict("records") == [
        {"day": datetime.now(UTC).date(), "job": "micro_batch", "runs": 3, "failed": 1}
        | {"events": 20}
    ]
    assert told["seconds"].gt(0).all()
    assert forget(instance, totals) == Forgotten(runs=0, kept=1, files=0, is_done=True)
    assert len(totals) == 1


def test_of_a_playback_that_told_how_far_it_is_only_the_last_word_counts(instance, totals):
    @dg.asset
    def usage(context):
        for sent in (10, 20):
            told = dg.AssetMaterialization("usage", metadata={"readings_played": sent})
            context.log_event(told)
        if "fails" in context.run.tags:
            raise dg.Failure("killed", allow_retries=False)
        return dg.MaterializeResult(metadata={"readings_played": 25})

    for tags in ({}, {"fails": "yes"}, {}):
        dg.materialize([usage], instance=instance, tags=tags, raise_on_error=False)
    forget(instance, totals)
    (told,) = totals
    assert told["events"].tolist() == [25 + 20 + 25]


def test_a_run_that_made_the_latest_of_an_asset_or_a_partition_stays(instance, run, totals):
    former, first, second, last = (
        run(day="2024-03-05"),
        run(day="2024-03-05"),
        run(day="2024-03-06"),
        run(),
    )
    assert forget(instance, totals).runs == 1
    assert set(instance.get_run_ids()) == {first, second, last} != {former}
    assert instance.get_materialized_partitions(HOURLY) == {"2024-03-05", "2024-03-06"}
    latest = instance.get_latest_materialization_event(dg.AssetKey("readings"))
    assert latest is not None
    assert latest.run_id == last


def test_what_checks_said_stays_though_their_runs_are_gone(instance, totals):
    job = CHECKED.resolve_job_def("quality")
    gone = {job.execute_in_process(instance=instance).run_id for _ in range(2)}
    assert forget(instance, totals).runs == 2
    assert instance.get_run_ids() == []
    left = instance.event_log_storage.get_asset_check_execution_history(a_check.check_key, limit=9)
    assert {record.run_id for record in left} == gone


def test_young_runs_and_those_in_flight_stay_and_so_do_others_of_their_day(instance, run, totals):
    for _ in range(2):
        run()
    assert forget(instance, totals, before=LATER - timedelta(days=2)).runs == 0
    going = dg.DagsterRun(job_name="micro_batch", status=dg.DagsterRunStatus.STARTED)
    instance.add_run(going)
    assert forget(instance, totals) == Forgotten(runs=0, kept=0, files=0, is_done=True)
    assert totals == []


def test_when_time_is_up_the_rest_goes_the_next_time_without_being_counted_twice(
    instance, run, totals
):
    for _ in range(4):
        run()
    assert forget(instance, totals, most=3) == Forgotten(2, 1, 4, is_done=False)
    assert forget(instance, totals).runs == 1
    # Whoever keeps the totals keeps the first: `run_totals` does.
    assert pd.concat(totals)["runs"].tolist() == [4, 2]


def test_ticks_are_forgotten_together_and_the_latest_is_told_again(instance, home):
    def tell(count, key=ANOMALY, **more):
        for number in range(count):
            instance.report_runless_asset_event(
                dg.AssetMaterialization(key, metadata={"n": number, "text": "x" * 500}, **more)
            )

    tell(60)
    tell(1, HOURLY, partition="2024-03-05")
    assert forget_ticks(instance, ANOMALY, LATER - timedelta(days=2)) == 0
    size = sum(path.stat().st_size for path in home.rglob("*.db"))
    assert forget_ticks(instance, ANOMALY, LATER) == 2
    (left,) = instance.fetch_materializations(ANOMALY, limit=9).records
    assert left.asset_materialization.metadata["n"].value == 59
    assert instance.get_materialized_partitions(HOURLY) == {"2024-03-05"}
    tell(50)
    assert sum(path.stat().st_size for path in home.rglob("*.db")) <= size
