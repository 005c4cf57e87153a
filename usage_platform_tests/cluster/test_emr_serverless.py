"""Work on EMR Serverless: the real script on Spark 4.0 leaves what the oracle says, by Pipes."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import boto3
import dagster as dg
import pandas as pd
import pytest
from deltalake import DeltaTable

from usage_platform.adapters.aws.emr_jobs import StartedJob, client_for_pipes
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.holder_id import holder_of
from usage_platform.adapters.lake.lease import LeaseLentError
from usage_platform.adapters.lake.lease_record import Held
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_writer import append_rows
from usage_platform.adapters.lake.tables import READINGS, REJECTS, TABLES, USAGE_HOURLY, Lake
from usage_platform.defs.emr_serverless import BORROWER
from usage_platform.defs.lake_assets import streams_into_lake, usage_hourly
from usage_platform.defs.model_assets import slot_forests
from usage_platform_tests import oracle
from usage_platform_tests.cluster.emr_worker import PID

pytestmark = [pytest.mark.aws, pytest.mark.kafka]

DAYS = 2
START = pd.Timestamp("2024-02-20T00:00:00Z")
BAD = b'{"ts": "2024-03-05T10:00:00Z"}'
MINUTES = {"library": 60}
DAYS_AS_TAGS = {
    "dagster/asset_partition_range_start": START.date().isoformat(),
    "dagster/asset_partition_range_end": (START.date() + timedelta(days=DAYS - 1)).isoformat(),
}


def failure(result) -> str:
    assert not result.success
    [event] = [e for e in result.all_events if e.event_type == dg.DagsterEventType.STEP_FAILURE]
    error = event.step_failure_data.error
    assert "\n" not in event.step_failure_data.user_failure_data.description, error
    return event.step_failure_data.user_failure_data.description


def told(result, name) -> dict:
    [event, *_] = [
        e
        for e in result.asset_materializations_for_node(result.job_def.nodes[0].name)
        if e.asset_key == dg.AssetKey(name)
    ]
    return {key: value.value for key, value in event.metadata.items()}


@pytest.fixture(scope="module")
def events():
    """Two days of hourly readings."""
    times = pd.date_range(START, periods=24 * DAYS, freq="h", unit="ns")
    values = [100.0 + 50 * (9 <= ts.hour < 18) + ts.dayofyear % 3 for ts in times]
    return [oracle.event("library", ts, value) for ts, value in zip(times, values, strict=True)]


@pytest.fixture(scope="module")
def lake(emr):
    return Lake(emr.settings["USAGE_LAKE"])


@pytest.fixture(scope="module")
def drained(emr, fresh_topics, put, events):
    """The topic's events brought into the lake by a job."""
    kafka = fresh_topics()
    put(kafka, [*(e.payload for e in events), BAD])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USAGE_KAFKA_BOOTSTRAP", kafka.bootstrap)
        patch.setenv("USAGE_INTERVAL_MINUTES", "60")
        yield emr.materialize(streams_into_lake)


@pytest.fixture(scope="module")
def without_some_hours(lake, drained):
    """The hours as they should be, of which some are gone from the lake."""
    whole = oracle.hours_of(oracle.rows_in(lake, READINGS), MINUTES)
    DeltaTable(lake.table(USAGE_HOURLY)).delete("min_usage > 120")
    assert len(oracle.rows_in(lake, USAGE_HOURLY)) < len(whole)
    return whole


def held(emr) -> Held:
    lease = LakeFiles(f"{emr.settings['USAGE_LAKE']}/leases")
    return Held.parsed(lease.read_text("writer.json"))


def test_events_are_brought_into_the_lake_by_a_job_with_a_checkpoint_of_its_own(
    lake, drained, events
):
    assert drained.success, failure(drained)
    said = told(drained, "readings")
    assert (said["events"], said["batches"]) == (len(events) + 1, 1)
    assert said["offsets"] == {"0": len(events) + 1}
    there = oracle.rows_in(lake, READINGS)
    assert there["value"].tolist() == [e.reading[2] for e in events]
    oracle.assert_table(lake, USAGE_HOURLY, oracle.hours_of(there, MINUTES))
    assert LakeReader(lake).rows(REJECTS)["raw"].tolist() == [BAD]
    assert {LakeReader(lake).state(table).reader_version for table in TABLES} == {1}
    assert LakeFiles(f"{lake.root}/checkpoint").folders() == ["emr"]


def test_a_job_that_dies_says_where_its_log_is_and_local_runs_may_write_again(
    emr, lake, without_some_hours
):
    with ThreadPoolExecutor(1) as pool:
        jobs = len(list(emr.folder.iterdir()))
        run = pool.submit(emr.materialize, usage_hourly, tags=DAYS_AS_TAGS)
        job = emr.wait_for_job(jobs + 1, '"opened"')
        assert held(emr).holder.host == BORROWER
        # As when the run that waits here was killed: nobody here may write, nor wait for it.
        with pytest.raises(LeaseLentError, match="is lent to the job emr-serverless:"):
            emr.deployment.writer_lease.take()
        os.killpg(int((job / PID).read_text()), signal.SIGKILL)
        said = failure(run.result())
    assert f"/jobs/{job.name}/SPARK_DRIVER/stdout" in said
    emr.deployment.writer_lease.take()
    emr.deployment.writer_lease.give_back()
    assert len(oracle.rows_in(lake, USAGE_HOURLY)) < len(without_some_hours)


def test_a_run_that_is_cancelled_cancels_its_job_and_waits_for_its_end(
    emr, lake, without_some_hours
):
    jobs = len(list(emr.folder.iterdir()))

    def cancel() -> Path:
        job = emr.wait_for_job(jobs + 1, '"opened"')
        # As Dagster's own service ends a run: this process and this thread are the run's.
        os.kill(os.getpid(), signal.SIGINT)
        return job

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(cancel)
        assert not emr.materialize(usage_hourly, tags=DAYS_AS_TAGS).success
    state = boto3.client("emr-serverless").get_job_run(
        applicationId=emr.settings["USAGE_EMR_APPLICATION_ID"], jobRunId=job.result().name
    )
    assert state["jobRun"]["state"] == "CANCELLED"
    with pytest.raises(ProcessLookupError):
        os.kill(int((job.result() / PID).read_text()), 0)
    emr.deployment.writer_lease.take()
    emr.deployment.writer_lease.give_back()
    assert len(oracle.rows_in(lake, USAGE_HOURLY)) < len(without_some_hours)


def test_days_recomputed_by_a_job_are_what_the_oracle_says(emr, lake, without_some_hours):
    result = emr.materialize(usage_hourly, tags=DAYS_AS_TAGS)
    assert result.success, failure(result)
    assert told(result, "usage_hourly")["hours"] == len(without_some_hours)
    oracle.assert_table(lake, USAGE_HOURLY, without_some_hours)
    given_back = held(emr)
    assert (given_back.holder, given_back.expires) == (
        holder_of(emr.deployment.settings.data_dir),
        given_back.renewed,
    )


def test_a_model_trained_by_a_job_is_the_one_that_is_trained_here(emr, lake, drained):
    # Of more meters than one process trains: in the job by its executors.
    rows = LakeReader(lake).rows(READINGS)
    append_rows(lake, READINGS, pd.concat([rows.assign(meter=f"m{n}") for n in range(5)]))
    config = {"until": "2024-02-22", "method": "robust_z"}
    there = emr.materialize(slot_forests, config)
    assert there.success, failure(there)
    store = emr.deployment.models
    [version] = [manifest.version for manifest in store.manifests()]
    assert told(there, "slot_forests")["version"] == version
    assert (told(there, "slot_forests")["promoted"], told(there, "slot_forests")["meters"]) == (
        1,
        6,
    )
    # Whoever has the address of a job's dashboard is let in: it is in no log.
    run = {"applicationId": emr.application.id, "jobRunId": emr.newest_job().name}
    assert "url" in boto3.client("emr-serverless").get_dashboard_for_job_run(**run)
    assert "url" not in client_for_pipes().get_dashboard_for_job_run(**run)
    # What the job told stays in its log, for a run that looked there too early.
    job = StartedJob(emr.application, boto3.client("emr-serverless"))
    job.id = emr.newest_job().name
    [answer] = job.answers()
    assert (answer["versions"], answer["promoted"]) == ([version], [version])
    here = emr.materialize(slot_forests, config, compute="here")
    assert told(here, "slot_forests")["version"] == version
    assert len(store.candidates()) == 1


def test_what_no_job_can_do_is_one_line_before_any_is_started(emr, monkeypatch):
    jobs = len(list(emr.folder.iterdir()))
    monkeypatch.setenv("USAGE_EMR_LOG_GROUP", "")
    monkeypatch.setenv("USAGE_KAFKA_BOOTSTRAP", "")
    monkeypatch.setenv("USAGE_EMR_APPLICATION_ID", "")
    monkeypatch.setenv("USAGE_EMR_ROLE_ARN", "")
    said = failure(emr.materialize(usage_hourly, tags=DAYS_AS_TAGS))
    assert said.startswith("compute: emr_serverless needs USAGE_EMR_APPLICATION_ID and ")
    monkeypatch.setenv("USAGE_EMR_APPLICATION_ID", "0nosuch")
    monkeypatch.setenv("USAGE_EMR_ROLE_ARN", emr.settings["USAGE_EMR_ROLE_ARN"])
    said = failure(emr.materialize(usage_hourly, tags=DAYS_AS_TAGS))
    assert said.startswith("EMR Serverless: ")
    emr.deployment.writer_lease.take()
    emr.deployment.writer_lease.give_back()
    assert len(list(emr.folder.iterdir())) == jobs
