"""The assets and jobs, run by Dagster in this process, on the real broker and real Spark."""

from types import SimpleNamespace

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import ANOMALY
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, USAGE_HOURLY
from usage_platform.core.anomalies.message_parsing import anomalies_from_messages
from usage_platform.definitions import defs
from usage_platform.defs.anomaly_assets import anomaly
from usage_platform.defs.resources import PlatformResource

DAYS = 42
# The clock goes forward on one of them.
HOURS = DAYS * 24 - 1
MONDAYS = [str(day.date()) for day in pd.date_range("2024-02-26", "2024-04-01", freq="W-MON")]
FIRST, LAST = "2024-02-26", "2024-04-08"
MADE_UP = "0" * 16
RANGE = {
    "dagster/asset_partition_range_start": FIRST,
    "dagster/asset_partition_range_end": LAST,
}
SETTINGS = {
    "USAGE_GENERATED_START": FIRST,
    "USAGE_GENERATED_DAYS": str(DAYS),
    "USAGE_INTERVAL_MINUTES": "60",
    "USAGE_ACCELERATOR": "max",
    # A source and a budget with which there is something to tell, lose and mend.
    "USAGE_GENERATED_SEED": "3",
    "USAGE_FALSE_ALARMS_PER_WEEK": "4",
}


def told(result, name: str) -> dict:
    """The metadata of the asset's one materialization in a run."""
    (event,) = result.asset_materializations_for_node(name)
    return {key: value.value for key, value in event.metadata.items()}


def told_of_days(result, name: str) -> dict:
    """The metadata that each of the materializations of a range of days has."""
    first, *_ = result.asset_materializations_for_node(name)
    return {key: value.value for key, value in first.metadata.items()}


def days_told(result, name: str) -> set[str]:
    """The partitions of an asset that a run reported."""
    events = result.filter_events(lambda event: event.is_step_materialization)
    made = (event.step_materialization_data.materialization for event in events)
    return {one.partition for one in made if one.asset_key == dg.AssetKey(name)}


def tables(deployment) -> dict[str, pd.DataFrame]:
    keys = {READINGS: "event_time", USAGE_HOURLY: "start", ANOMALIES: "anomaly_id"}
    reader = deployment.reader
    return {t.name: reader.rows(t).sort_values(k, ignore_index=True) for t, k in keys.items()}


@pytest.fixture(scope="module")
def flow(broker, fresh_topics, spark_url, spark, tmp_path_factory) -> SimpleNamespace:
    """Each job once, in the order in which the sensors start them, then a repair and the checks."""
    fresh_topics()
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setenv("USAGE_DATA", str(tmp_path_factory.mktemp("platform")))
        patch.setenv("USAGE_KAFKA_BOOTSTRAP", broker.bootstrap)
        patch.setenv("USAGE_SPARK_REMOTE", spark_url)
        deployment = PlatformResource().deployment
        seen = SimpleNamespace(deployment=deployment, kafka=broker)

        def run(job, **options):
            return defs.resolve_job_def(job).execute_in_process(instance=instance, **options)

        seen.played = run("playback")
        seen.again = run("playback")
        seen.first_batch = run("micro_batch")
        config = {"ops": {"slot_forests": {"config": {"due": True}}}}
        seen.trained = run("retrain", run_config=config)
        seen.scored = dg.materialize(
            [anomaly], instance=instance, resources={"platform": PlatformResource()}
        )
        seen.second_batch = run("micro_batch")
        seen.before = tables(deployment)
        newest = seen.before["anomalies"]["event_date"].max()
        lost = f"DELETE FROM {deployment.lake.sql(ANOMALIES)} WHERE event_date = '{newest}'"
        wrong = f"UPDATE {deployment.lake.sql(USAGE_HOURLY)} SET avg_usage = 0 WHERE n > 0"
        made_up = f"""
            INSERT INTO {deployment.lake.sql(ANOMALIES)} BY NAME
            SELECT * EXCEPT (anomaly_id), '{MADE_UP}' AS anomaly_id
            FROM {deployment.lake.sql(ANOMALIES)} ORDER BY event_time LIMIT 1
        """
        for damage in (lost, wrong, made_up):
            spark.sql(damage).collect()
        seen.damaged = tables(deployment)
        seen.backfilled = run("backfill", tags=RANGE)
        seen.after = tables(deployment)
        seen.checked = run("quality")
    return seen


@pytest.mark.kafka
@pytest.mark.spark
class TestFlow:
    """One run of everything; each test looks at a part of it."""

    def test_the_source_is_loaded_and_tells_what_it_holds(self, flow):
        loaded = told(flow.played, "source_readings")
        readings = flow.deployment.source_cache.readings()
        assert loaded["dagster/row_count"] == loaded["rows_in_source"] == len(readings)
        assert HOURS * 0.95 < len(readings) <= HOURS
        assert loaded["labelled_faults"] == len(flow.deployment.source_cache.faults())
        assert loaded["weekday_profile"].startswith("![](data:image/png;base64,")

    def test_playback_puts_all_of_it_on_the_topic_once(self, flow):
        count = len(flow.deployment.source_cache.readings())
        played = told(flow.played, "usage")
        assert played["readings_played"] == count
        assert played["end_offsets"] == {"0": count}
        again = told(flow.again, "usage")
        assert (again["readings_played"], again["event_time"]) == (0, "nothing left to play")

    def test_the_micro_batch_brings_it_into_the_lake_and_tells_offsets_and_lag(self, flow):
        source = flow.deployment.source_cache.readings()
        rows = flow.before["readings"]
        assert rows["event_time"].tolist() == source["ts"].tolist()
        assert rows["value"].tolist() == source["value"].tolist()
        events = flow.first_batch.get_asset_materialization_events()
        by_key = {
            event.asset_key.to_user_string(): event.materialization.metadata
            for event in events
            if not event.partition
        }
        assert set(by_key) == {"readings", "rejects"}
        metadata = {key: value.value for key, value in by_key["readings"].items()}
        assert metadata["dagster/row_count"] == metadata["events"] == len(source)
        assert metadata["offsets"] == {"0": len(source)}
        assert metadata["lag_events"] == metadata["lag_event_minutes"] == 0
        assert by_key["rejects"]["by_reason"].value == "none"

    def test_the_days_that_changed_are_reported_as_partitions(self, flow):
        days = {str(day) for day in flow.before["usage_hourly"]["event_date"]}
        assert days_told(flow.first_batch, "usage_hourly") == days
        assert days_told(flow.second_batch, "usage_hourly") == set()
        events = flow.first_batch.get_asset_materialization_events()
        reported = [event.materialization.metadata for event in events if event.partition]
        counts = {metadata["dagster/row_count"].value for metadata in reported}
        assert counts == {len(flow.before["usage_hourly"])}
        days = {str(day) for day in flow.before["anomalies"]["event_date"]}
        assert days_told(flow.second_batch, "anomalies") == days

    def test_the_weekly_models_learn_from_the_days_before_and_tell_of_their_slots(self, flow):
        trained = told(flow.trained, "slot_forests")
        assert trained["history_until"].startswith("2024-04-01T04:00")
        assert trained["judges_from"].startswith("2024-04-02T04:00")
        assert trained["slots_trained"] + trained["slots_thin"] == 168
        manifests = flow.deployment.models.manifests()
        assert trained["promoted"] == len(manifests)
        ends = [str(m.end.tz_convert("America/New_York").date()) for m in manifests]
        assert ends[0] == "2024-02-25"
        assert set(ends[1:]) <= set(MONDAYS)
        assert trained["models"] == 1 + len(MONDAYS)

    def test_the_newest_model_is_examined_on_its_last_weeks(self, flow):
        (check,) = flow.trained.get_asset_check_evaluations()
        assert check.check_name == "model_is_fit"
        assert check.metadata["injected_faults"].value > 10
        is_in_force = check.metadata["version"].value in flow.deployment.models.promoted()
        assert is_in_force == check.passed

    def test_every_event_is_scored_or_accounted_for(self, flow):
        scored = told(flow.scored, "anomaly")
        assert scored["events"] == len(flow.before["readings"])
        assert scored["events"] == scored["scored"] + scored["learning"]
        assert scored["scored"] > 24 * 7
        assert scored["lag_events"] == scored["lag_event_minutes"] == scored["rejected"] == 0
        assert scored["waits_for_a_model_from"] == "-"

    def test_the_lake_holds_the_anomalies_that_the_topic_told(self, flow, read_all):
        told_anomalies = anomalies_from_messages([m.value() for m in read_all(flow.kafka, ANOMALY)])
        told_anomalies = told_anomalies.sort_values("anomaly_id", ignore_index=True)
        assert len(told_anomalies) == told(flow.scored, "anomaly")["anomalies"] > 5
        assert (told_anomalies["status"] == "told").all()
        table = flow.before["anomalies"]
        pd.testing.assert_frame_equal(table[told_anomalies.columns], told_anomalies)

    def test_one_run_over_a_range_of_days_mends_hours_and_anomalies(self, flow):
        before, damaged = (set(t["anomalies"]["anomaly_id"]) for t in (flow.before, flow.damaged))
        assert before - damaged
        assert damaged - before == {MADE_UP}
        assert (flow.damaged["usage_hourly"]["avg_usage"] == 0).all()
        # When a row came, and how often it changed, goes on; all else is as it was.
        told = ["rev", "found_at", "changed_at"]
        for name, rows in flow.after.items():
            if name == "anomalies":
                rows = rows[rows["anomaly_id"] != MADE_UP].reset_index(drop=True)
            pd.testing.assert_frame_equal(
                rows.drop(columns=told, errors="ignore"),
                flow.before[name].drop(columns=told, errors="ignore"),
                check_exact=True,
            )
        assert len(days_told(flow.backfilled, "usage_hourly")) == DAYS + 1

    def test_a_row_that_is_no_anomaly_is_withdrawn(self, flow):
        rows = flow.after["anomalies"].set_index("anomaly_id")["status"]
        assert rows[rows != "told"].to_dict() == {MADE_UP: "withdrawn"}
        mended = told_of_days(flow.backfilled, "anomalies")
        assert mended["withdrawn"] == 1
        assert mended["added"] == len(flow.after["anomalies"]) - len(flow.damaged["anomalies"])
        assert mended["found"] == len(flow.before["anomalies"])
        assert (mended["lag_events"], mended["lag_event_minutes"]) == (0, 0)

    def test_all_checks_pass_on_what_came_out(self, flow):
        results = {check.check_name: check for check in flow.checked.get_asset_check_evaluations()}
        assert results["sampled_days_equal_kafka"].metadata["rows_compared"].value > 48
        assert set(results) == {
            key.name for check in defs.asset_checks or () for key in check.check_keys
        }
        # The generator leaves gaps, which `hours_complete` must tell.
        gaps = len(flow.before["readings"]) < HOURS
        failed = {name for name, check in results.items() if not check.passed}
        assert failed <= ({"hours_complete"} if gaps else set())
