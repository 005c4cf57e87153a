"""Cancels jobs on EMR Serverless whose run has ended: nobody waits for their result any more.

Belongs here: the sensor. Not here: starting and following a job (`emr_serverless`), which also
cancels the job of a run that is cancelled while its process lives.

A run that is killed leaves its job behind, which would keep the lease on the lake, and cost, until
its end.
"""

import dagster as dg

from usage_platform.adapters.aws.emr_jobs import client_for_pipes
from usage_platform.adapters.aws.emr_unfinished import UnfinishedJobs
from usage_platform.adapters.lake.errors import one_line
from usage_platform.defs.emr_serverless import chosen_application
from usage_platform.defs.failures import skip_reason
from usage_platform.defs.resources import PlatformResource


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Cancels jobs on EMR Serverless whose run was killed, if "
    "USAGE_EMR_APPLICATION_ID is set.",
)
def emr_job_sensor(
    context: dg.SensorEvaluationContext, platform: PlatformResource
) -> dg.SkipReason:
    """Cancel jobs on EMR Serverless whose run has ended.

    Jobs of runs that this Dagster does not know are left alone: another platform may share the
    application.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    settings = platform.deployment.settings
    if not settings.emr_application_id:
        return dg.SkipReason("no application is set: USAGE_EMR_APPLICATION_ID")
    said: list[str] = []
    try:
        jobs = UnfinishedJobs(chosen_application(settings), client_for_pipes())
        unfinished = jobs.by_run()
    except (BotoCoreError, ClientError) as error:
        return dg.SkipReason(
            f"EMR Serverless: {one_line(str(error))}; asked again at the next tick"
        )
    for job, run_id in unfinished.items():
        run = context.instance.get_run_by_id(run_id)
        if run is None or not run.is_finished:
            continue
        name = f"job {job}, whose run {run_id} has ended"
        try:
            jobs.cancel(job)
            said.append(f"cancelled the {name}")
        # It may have ended by itself; the others are cancelled all the same.
        except (BotoCoreError, ClientError) as error:
            said.append(f"cannot cancel the {name}: {one_line(str(error))}")
        context.log.warning(said[-1])
    return skip_reason(*said) if said else dg.SkipReason("no job whose run has ended")
