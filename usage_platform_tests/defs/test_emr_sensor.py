"""Jobs on EMR Serverless whose run has ended are cancelled, and no other; AWS is moto's double."""

from collections.abc import Iterator

import boto3
import dagster as dg
import pytest
from moto import mock_aws
from moto.emrserverless import models

from usage_platform.adapters.aws.emr_jobs import EmrApplication
from usage_platform.adapters.aws.emr_unfinished import UnfinishedJobs, job_name
from usage_platform.defs.emr_sensor import emr_job_sensor
from usage_platform.defs.resources import PlatformResource
from usage_platform_tests.aws_double import environment

pytestmark = pytest.mark.aws

ENDED = {dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
ROLE = "arn:aws:iam::123456789012:role/usage-platform-emr-job"


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def application(monkeypatch) -> Iterator[EmrApplication]:
    """An application of moto whose jobs run until they are cancelled."""
    for name, value in environment("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(models, "JOB_STATUS", "RUNNING")
    with mock_aws():
        yield _made(monkeypatch)


def _made(monkeypatch) -> EmrApplication:
    made = boto3.client("emr-serverless").create_application(
        name="usage", releaseLabel="emr-7.13.0", type="SPARK"
    )
    monkeypatch.setenv("USAGE_LAKE", "s3://bucket/lake")
    monkeypatch.setenv("USAGE_EMR_APPLICATION_ID", made["applicationId"])
    monkeypatch.setenv("USAGE_EMR_ROLE_ARN", ROLE)
    return EmrApplication(made["applicationId"], ROLE, "s3://code", "/logs")


def tick(instance) -> str:
    context = dg.build_sensor_context(instance, resources={"platform": PlatformResource()})
    with context:
        return emr_job_sensor(context).skip_message


def started(application: EmrApplication, name: str) -> str:
    client = boto3.client("emr-serverless")
    return client.start_job_run(**application.start_parameters(name))["jobRunId"]


def run_with(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    run = instance.create_run_for_job(a_job, status=dg.DagsterRunStatus.STARTED)
    if status == dg.DagsterRunStatus.FAILURE:
        # As of a run whose process was killed.
        instance.report_run_failed(run, "The process has ended.")
    elif status == dg.DagsterRunStatus.CANCELED:
        instance.report_run_canceled(run)
    return run.run_id


@dg.job
def a_job():
    pass


def unfinished(application: EmrApplication) -> set[str]:
    client = boto3.client("emr-serverless")
    runs = client.list_job_runs(applicationId=application.id)["jobRuns"]
    return {run["id"] for run in runs if run["state"] not in ("CANCELLED", "CANCELLING")}


def test_the_job_of_a_run_that_was_killed_is_cancelled_and_no_other(instance, application):
    run_of = {
        status: run_with(instance, status) for status in ENDED | {dg.DagsterRunStatus.STARTED}
    }
    jobs = {status: started(application, job_name("hours", run)) for status, run in run_of.items()}
    others = {
        # Of another platform, and of another program.
        started(application, job_name("hours", "0f9a8b1c-0000-4000-8000-000000000000")),
        started(application, "somebody's nightly report"),
        started(application, "a"),
    }
    said = tick(instance)
    assert unfinished(application) == others | {jobs[dg.DagsterRunStatus.STARTED]}
    for status in ENDED:
        assert f"cancelled the job {jobs[status]}, whose run {run_of[status]} has ended" in said
    assert tick(instance) == "no job whose run has ended"


def test_a_job_that_cannot_be_cancelled_does_not_keep_the_others(
    instance, application, monkeypatch
):
    first, second = (
        started(application, job_name("models", run_with(instance, dg.DagsterRunStatus.FAILURE)))
        for _ in range(2)
    )
    cancel = UnfinishedJobs.cancel

    def ended_meanwhile(self, job):
        cancel(self, "00nosuch" if job == first else job)

    monkeypatch.setattr(UnfinishedJobs, "cancel", ended_meanwhile)
    said = tick(instance)
    assert f"cannot cancel the job {first}" in said
    assert f"cancelled the job {second}" in said
    assert unfinished(application) == {first}


def test_without_an_application_nothing_is_asked(instance, tmp_path, monkeypatch):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert tick(instance) == "no application is set: USAGE_EMR_APPLICATION_ID"


def test_an_application_that_is_not_there_is_one_line(instance, application, monkeypatch):
    monkeypatch.setenv("USAGE_EMR_APPLICATION_ID", "00nosuch")
    said = tick(instance)
    assert said.startswith("EMR Serverless: ")
    assert said.endswith("; asked again at the next tick")
    assert "\n" not in said
