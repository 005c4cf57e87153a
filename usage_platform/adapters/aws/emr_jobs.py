"""Jobs on EMR Serverless: what one is started with, what becomes of it, and why one failed.

Belongs here: the parameters of a job, and asking AWS about it. Not here: following a job from
Dagster (`defs.emr_serverless`), what it does (`cluster`).
"""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dagster_pipes import PIPES_PROTOCOL_VERSION_FIELD

from usage_platform.adapters.lake.errors import one_line

SCRIPT = "emr_job.py"
ENVIRONMENT = "environment.tar.gz"
JARS = "jars"

_ENDED = ("SUCCESS", "FAILED", "CANCELLED")
_END_SECONDS = 120.0
_POLL_SECONDS = 2.0
_MESSAGE = f'{{"{PIPES_PROTOCOL_VERSION_FIELD}"'
_CUSTOM = "report_custom_message"
# Where EMR unpacks the archive, from the folder in which it starts driver and executors.
_PYTHON = "./environment/bin/python"
# EMR brings Delta, of the version that fits its Spark, and puts it on no class path by itself.
_DELTA = ("/usr/share/aws/delta/lib/delta-spark.jar", "/usr/share/aws/delta/lib/delta-storage.jar")


@dataclass(frozen=True)
class EmrApplication:
    """Where jobs run.

    Attributes:
        id: The application's.
        role_arn: The role that its jobs have.
        code: The folder of the script, the Python environment and the jars, s3://bucket/prefix.
        log_group: CloudWatch's log group that jobs write to.
    """

    id: str
    role_arn: str
    code: str
    log_group: str

    def start_parameters(self, name: str, jars: Sequence[str] = ()) -> dict[str, Any]:
        """What EMR's API is told to start a job.

        Args:
            name: The job's, for people.
            jars: Names of jars of the code folder that the job needs beside Delta's.
        """
        return {
            "applicationId": self.id,
            "executionRoleArn": self.role_arn,
            "name": name,
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": f"{self.code}/{SCRIPT}",
                    "sparkSubmitParameters": self._spark_submit(jars),
                }
            },
            "configurationOverrides": {
                "monitoringConfiguration": {
                    "cloudWatchLoggingConfiguration": {
                        "enabled": True,
                        "logGroupName": self.log_group,
                    }
                }
            },
        }

    def _spark_submit(self, jars: Sequence[str]) -> str:
        own = [f"{self.code}/{JARS}/{name}" for name in jars]
        conf = {
            "spark.archives": f"{self.code}/{ENVIRONMENT}#environment",
            "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": _PYTHON,
            "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": _PYTHON,
            "spark.executorEnv.PYSPARK_PYTHON": _PYTHON,
            "spark.jars": ",".join([*_DELTA, *own]),
        }
        return " ".join(f"--conf {key}={value}" for key, value in conf.items())


class StartedJob:
    """The job that is started with a client, whoever starts it.

    Attributes:
        id: Its id; empty before it is started.

    Args:
        application: Where it runs.
        client: A boto3 client of EMR Serverless; from now on the next job that it starts is this.
    """

    def __init__(self, application: EmrApplication, client: Any) -> None:  # noqa: ANN401 - boto3's
        self._application = application
        self._client = client
        self.id = ""
        client.meta.events.register("after-call.emr-serverless.StartJobRun", self._note)

    def _note(self, parsed: Mapping[str, Any], **_: object) -> None:
        self.id = parsed.get("jobRunId", "")

    @property
    def log_stream(self) -> str:
        """The stream of what the driver's Python says, in the application's log group.

        Spark hands its errors on to the same place; those of the JVM are beside it, in `stderr`.
        """
        return f"/applications/{self._application.id}/jobs/{self.id}/SPARK_DRIVER/stdout"

    @cached_property
    def _logs(self) -> Any:  # noqa: ANN401 - boto3's
        import boto3

        return boto3.client("logs")

    def is_over(self) -> bool:
        """Whether nothing of the job runs any more; waits a while for a job that is being ended.

        Returns:
            False too when AWS does not say.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        give_up = time.monotonic() + _END_SECONDS
        while self.id:
            with suppress(BotoCoreError, ClientError):
                if self._run()["state"] in _ENDED:
                    return True
            if time.monotonic() > give_up:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def why_it_failed(self, prefix: str) -> str:
        """One line: the job's own word, or what EMR says of it, and where its log is.

        Args:
            prefix: How the line begins that a job ends its log with when it knows what is wrong.
        """
        known = [line.removeprefix(prefix) for line in self._lines() if line.startswith(prefix)]
        details = one_line(self._run().get("stateDetails") or "EMR gives no reason")
        reason = known[-1] if known else details
        place = f"log group {self._application.log_group}, stream {self.log_stream}"
        return f"{reason} (job {self.id} on EMR Serverless; {place})"

    def _run(self) -> Mapping[str, Any]:
        found = self._client.get_job_run(applicationId=self._application.id, jobRunId=self.id)
        return found["jobRun"]

    def answers(self) -> list[Any]:
        """What the job has told of its work, as Pipes' custom messages, for whom its reader missed.

        Waits a while: CloudWatch may show a job's last lines a minute after the job's end.
        """
        give_up = time.monotonic() + _END_SECONDS
        while True:
            messages = [json.loads(line) for line in self._lines() if line.startswith(_MESSAGE)]
            told = [m["params"]["payload"] for m in messages if m["method"] == _CUSTOM]
            if told or time.monotonic() > give_up:
                return told
            time.sleep(_POLL_SECONDS)

    def _lines(self) -> list[str]:
        """The end of what the driver's Python has said; none where there is no log to read."""
        from botocore.exceptions import ClientError

        try:
            events = self._logs.get_log_events(
                logGroupName=self._application.log_group, logStreamName=self.log_stream
            )["events"]
        except ClientError:
            return []
        return [line for event in events for line in event["message"].splitlines()]


def client_for_pipes() -> Any:  # noqa: ANN401 - boto3's
    """A boto3 client of EMR Serverless whose answers Dagster's Pipes client can be given.

    That one takes `Spark` for an application's type, while AWS may tell `SPARK`; and it logs the
    address of a job's dashboard, with which whoever reads it is let in.
    """
    import boto3
    from botocore.config import Config

    def type_of(parsed: dict[str, Any], **_: object) -> None:
        if "application" in parsed:
            parsed["application"]["type"] = parsed["application"]["type"].capitalize()

    def no_address(parsed: dict[str, Any], **_: object) -> None:
        parsed.pop("url", None)

    # A run follows its job for hours; a minute without an answer must not end both.
    tries = {"total_max_attempts": 10, "mode": "standard"}
    client = boto3.client("emr-serverless", config=Config(retries=tries))
    client.meta.events.register("after-call.emr-serverless.GetApplication", type_of)
    client.meta.events.register("after-call.emr-serverless.GetDashboardForJobRun", no_address)
    return client
