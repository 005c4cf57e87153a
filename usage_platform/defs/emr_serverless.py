"""An asset's work done on EMR Serverless instead of this machine, through Dagster Pipes.

Belongs here: choosing where, lending the lease to the job, starting and following it. Not here:
the job's request and its work (`cluster`), its parameters on AWS (`adapters.aws.emr_jobs`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import dagster as dg
from pydantic import Field

from usage_platform.adapters.aws.emr_jobs import EmrApplication, StartedJob, client_for_pipes
from usage_platform.adapters.aws.emr_unfinished import job_name
from usage_platform.adapters.lake.errors import one_line
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.cluster.job import WHY_NOT
from usage_platform.cluster.request import DrainTopics, Request, TrainModels, Work
from usage_platform.local.jar_lock import EMR_SET, LOCK_FILE, parse_lock
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform

BORROWER = "emr-serverless"
"""The host's part of the name under which jobs hold the lease; the other is Dagster's run."""


class Compute(Enum):
    """Where an asset's work is done; the names are the values of the run config."""

    here = "here"
    emr_serverless = "emr_serverless"


class ComputeConfig(dg.Config):
    """Where the work runs."""

    compute: Compute = Field(
        Compute.here,
        description="here, or emr_serverless for work that would take this machine too long; that "
        "needs USAGE_EMR_APPLICATION_ID.",
    )


def done_on_emr(
    context: dg.AssetExecutionContext, deployment: Platform, work: Work
) -> dict[str, Any]:
    """Have a job on EMR Serverless do some work, and wait for it.

    A job that writes tables holds the platform's lease meanwhile. This run renews it too, as EMR
    may take minutes to start, and makes this machine's other runs wait. When this run is cancelled,
    so is the job; when it is killed, `emr_sensor` cancels the job.

    Returns:
        The job's result, as `cluster.job.carry_out` returns it.

    Raises:
        SettingsError: When no application is set, or a setting rules such a job out.
        LeaseError: When another process writes to the lake.
        LakeError: When no descriptions of meters apply.
        dg.Failure: In one line, when the job cannot be started, or fails.
    """
    application = chosen_application(deployment.settings)
    borrower = None if isinstance(work, TrainModels) else Holder(BORROWER, context.run.run_id)
    here = None if borrower is None else (borrower.host, borrower.folder)
    request = Request.of(deployment.settings, work, here)
    # A first invalid description of a meter is found before the job starts; a job, which has no
    # YAML, finds what was read here.
    deployment.registry()
    with _aws_failing_in_one_line():
        client = client_for_pipes()
        job = StartedJob(application, client)
        with _lent(deployment, borrower, job):
            return _answer(context, client, application, job, request)


def chosen_application(settings: Settings) -> EmrApplication:
    """The application that the settings name.

    Raises:
        SettingsError: When they name none.
    """
    if not settings.emr_application_id:
        raise SettingsError(
            "compute: emr_serverless needs USAGE_EMR_APPLICATION_ID and USAGE_EMR_ROLE_ARN; "
            "terraform output emr_settings prints both"
        )
    return EmrApplication(
        settings.emr_application_id,
        settings.emr_role_arn,
        settings.emr_code or f"{settings.lake_root}/assets/emr",
        settings.emr_log_group,
    )


@contextmanager
def _aws_failing_in_one_line() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        said = one_line(str(error))
        raise _failure(
            f"EMR Serverless: {said}; check the region and the credentials of this process, and "
            "USAGE_EMR_APPLICATION_ID; a job that has started is cancelled within minutes"
        ) from None


@contextmanager
def _lent(deployment: Platform, borrower: Holder | None, job: StartedJob) -> Iterator[None]:
    if borrower is None:
        yield
        return
    with deployment.lake_writer.lending(borrower) as lease:
        try:
            yield
        finally:
            # A job that may still write keeps it, and returns it at its end or lets it expire.
            if job.is_over():
                lease.give_back()


def _answer(
    context: dg.AssetExecutionContext,
    client: Any,  # noqa: ANN401 - boto3's
    application: EmrApplication,
    job: StartedJob,
    request: Request,
) -> dict[str, Any]:
    from dagster_aws.pipes import PipesCloudWatchMessageReader, PipesEMRServerlessClient

    pipes = PipesEMRServerlessClient(client, message_reader=PipesCloudWatchMessageReader())
    name = job_name(request.work.kind, context.run.run_id)
    jars = _kafka_jars() if isinstance(request.work, DrainTopics) else []
    try:
        done = pipes.run(
            context=context,
            start_job_run_params=application.start_parameters(name, jars),
            extras=request.extras(),
        )
    except RuntimeError:
        # It has not read the job's log by then.
        raise _failure(job.why_it_failed(WHY_NOT)) from None
    # Its reader gives the log ten seconds.
    answers = done.get_custom_messages() or job.answers()
    if not answers:
        raise _failure(
            "the job has succeeded, but its log does not hold the result: materialize again to see "
            f"it ({job.log_stream} in {application.log_group})"
        )
    return answers[-1]


def _kafka_jars() -> list[str]:
    locked = parse_lock(LOCK_FILE.read_text("utf-8"))
    return [jar.file_name for jar in locked if jar.set_name == EMR_SET]


def _failure(line: str) -> dg.Failure:
    return dg.Failure(description=line, allow_retries=False)
