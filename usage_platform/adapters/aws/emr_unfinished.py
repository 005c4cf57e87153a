"""The jobs on EMR Serverless that are not over, and of which of Dagster's runs each is.

Belongs here: the name that a job is known by, finding jobs and cancelling one. Not here: starting
and following a job (`emr_jobs`), or which runs have ended (`defs.emr_sensor`).
"""

from collections.abc import Mapping
from typing import Any

from usage_platform.adapters.aws.emr_jobs import EmrApplication

_PREFIX = "usage-platform"
_STATES = ["PENDING", "SUBMITTED", "SCHEDULED", "QUEUED", "RUNNING"]


def job_name(kind: str, run_id: str) -> str:
    """The name of the job that does some work for a run of Dagster."""
    return f"{_PREFIX} {kind} {run_id}"


class UnfinishedJobs:
    """An application's jobs that wait or run.

    Args:
        application: The application.
        client: A boto3 client of EMR Serverless.
    """

    def __init__(self, application: EmrApplication, client: Any) -> None:  # noqa: ANN401 - boto3's
        self._application = application
        self._client = client

    def by_run(self) -> Mapping[str, str]:
        """The ids of the runs, by the ids of their jobs; jobs of other programs are left out.

        Raises:
            ClientError: When AWS refuses.
        """
        pages = self._client.get_paginator("list_job_runs").paginate(
            applicationId=self._application.id, states=_STATES
        )
        named = (
            (job["id"], job.get("name", "").split()) for page in pages for job in page["jobRuns"]
        )
        return {job: words[2] for job, words in named if len(words) == 3 and words[0] == _PREFIX}

    def cancel(self, job: str) -> None:
        """Cancel a job.

        Raises:
            ClientError: When AWS refuses, as for a job that has ended meanwhile.
        """
        self._client.cancel_job_run(applicationId=self._application.id, jobRunId=job)
