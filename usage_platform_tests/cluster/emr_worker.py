"""Moto's server with jobs on EMR Serverless that run: their own script, by a real spark-submit.

    python -m usage_platform_tests.cluster.emr_worker SPARK_HOME JARS FOLDER -H HOST -p PORT

Moto answers that a job has succeeded and runs none. Here a job's parameters are followed as EMR
does: script, archive and jars come from S3, the driver's environment from its settings, and what it
writes goes to CloudWatch. What EMR brings itself is in JARS (Delta, the way to S3). What a job left
in its folder, its process id among it, is in FOLDER/<job>.

Belongs here: EMR's part. Not here: what is expected of a job (the tests).
"""

import os
import shlex
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from moto import server
from moto.core.responses import ActionResult
from moto.emrserverless import urls
from moto.emrserverless.models import EMRServerlessBackend, JobRun
from moto.emrserverless.responses import EMRServerlessResponse

from usage_platform_tests.aws_double import environment

PID, STDOUT, STDERR = "pid", "stdout", "stderr"
_DRIVER_ENV = "spark.emr-serverless.driverEnv."
_DELTA = "/usr/share/aws/delta/lib/"
_DASHBOARD = "{0}/applications/(?P<applicationId>[^/]+)/jobruns/(?P<jobRunId>[^/]+)/dashboard$"


class Worker:
    """Runs jobs, each in a thread.

    Args:
        spark_home: Spark 4.0.
        jars: The folder of the locked jars' sets.
        folder: Where jobs run, in a folder each.
        endpoint: The address of this server.
    """

    def __init__(self, spark_home: Path, jars: Path, folder: Path, endpoint: str) -> None:
        self._spark_home = spark_home
        self._jars = jars
        self._folder = folder
        self._endpoint = endpoint
        os.environ.update(environment(endpoint))

    def start(self, job: JobRun) -> None:
        """Begin a job; its state tells how far it is."""
        job.state = "SUBMITTED"
        threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def cancel(self, job: JobRun) -> None:
        """End a job; it is being cancelled until its process is gone."""
        job.state = "CANCELLING"
        os.kill(int((self._folder / job.id / PID).read_text()), 15)

    def _run(self, job: JobRun) -> None:
        folder = self._folder / job.id
        folder.mkdir()
        try:
            ended_well = self._submit(job, folder) == 0
            state = "SUCCESS" if ended_well else "FAILED"
        except Exception as error:
            state, job.state_details = "FAILED", repr(error)
        self._tell(job, folder)
        job.state = "CANCELLED" if job.state == "CANCELLING" else state

    def _submit(self, job: JobRun, folder: Path) -> int:
        told = job.job_driver["sparkSubmit"]
        flags = shlex.split(told["sparkSubmitParameters"])
        assert set(flags[::2]) == {"--conf"}, flags
        conf = dict(word.split("=", 1) for word in flags[1::2])
        driver = {k: conf.pop(k) for k in list(conf) if k.startswith(_DRIVER_ENV)}
        archive, _, name = conf.pop("spark.archives").partition("#")
        with tarfile.open(self._local(archive, folder)) as packed:
            packed.extractall(folder / name, filter="fully_trusted")  # noqa: S202 - the test's own
        jars = [str(self._local(jar, folder)) for jar in conf["spark.jars"].split(",")]
        conf["spark.jars"] = ",".join(jars)
        command = [str(self._spark_home / "bin" / "spark-submit"), "--master", "local[1]"]
        for key, value in {**conf, **self._brought()}.items():
            command += ["--conf", f"{key}={value}"]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "PYSPARK_"))}
        env = {k.removeprefix(_DRIVER_ENV): v for k, v in driver.items()}
        with (folder / STDOUT).open("wb") as out, (folder / STDERR).open("wb") as err:
            process = subprocess.Popen(
                [*command, str(self._local(told["entryPoint"], folder))],
                cwd=folder,
                env={**kept, **env, "SPARK_HOME": str(self._spark_home)},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            (folder / PID).write_text(str(process.pid))
            job.state = "RUNNING"
            return process.wait()

    def _brought(self) -> dict[str, str]:
        """What EMR has set up for each job: its way to S3 above all."""
        brought = list((self._jars / "emr_tests").glob("*hadoop-aws*"))
        # The platform's own way to S3 is for another Hadoop, but for Amazon's modules.
        brought += [p for p in (self._jars / "aws").glob("*.jar") if "hadoop" not in p.name]
        return {
            "spark.driver.extraClassPath": ":".join(map(str, brought)),
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.log.level": "WARN",
            "spark.hadoop.fs.s3a.endpoint": self._endpoint,
            "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.sql.shuffle.partitions": "1",
            "spark.databricks.delta.snapshotPartitions": "1",
            "spark.ui.enabled": "false",
            # What is compiled anew for a few rows costs more than it saves, as on one machine.
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        }

    def _local(self, place: str, folder: Path) -> Path:
        """A file of S3, or of those that EMR brings."""
        if place.startswith(_DELTA):
            [found] = (self._jars / "emr_tests").glob(f"*{Path(place).stem}*.jar")
            return found
        parts = urlsplit(place)
        assert parts.scheme == "s3", place
        path = folder / Path(parts.path).name
        boto3.client("s3").download_file(parts.netloc, parts.path.lstrip("/"), str(path))
        return path

    def _tell(self, job: JobRun, folder: Path) -> None:
        """Put what the driver wrote where EMR would."""
        monitoring = job.configuration_overrides["monitoringConfiguration"]
        group = monitoring["cloudWatchLoggingConfiguration"]["logGroupName"]
        logs = boto3.client("logs")
        for name in (STDOUT, STDERR):
            stream = f"/applications/{job.application_id}/jobs/{job.id}/SPARK_DRIVER/{name}"
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            path = folder / name
            lines = path.read_text("utf-8").splitlines() if path.exists() else []
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": line} for line in lines if line]
            if events:
                logs.put_log_events(
                    logGroupName=group, logStreamName=stream, logEvents=events[-5000:]
                )


def install(worker: Worker) -> None:
    """Let moto's backend have the worker run its jobs."""
    start, cancel = EMRServerlessBackend.start_job_run, EMRServerlessBackend.cancel_job_run

    def start_job_run(self, *args, **kwargs):
        job = start(self, *args, **kwargs)
        worker.start(job)
        return job

    def cancel_job_run(self, application_id, job_run_id):
        job = self.get_job_run(application_id, job_run_id)
        if job.state == "RUNNING":
            worker.cancel(job)
            return application_id, job_run_id
        return cancel(self, application_id, job_run_id)

    def get_dashboard_for_job_run(self):
        return ActionResult({"url": "https://dashboard.example.org"})

    EMRServerlessBackend.start_job_run = start_job_run
    EMRServerlessBackend.cancel_job_run = cancel_job_run
    EMRServerlessResponse.get_dashboard_for_job_run = get_dashboard_for_job_run
    urls.url_paths[_DASHBOARD] = EMRServerlessResponse.dispatch


if __name__ == "__main__":
    home, jar_sets, work, *rest = sys.argv[1:]
    address = f"http://127.0.0.1:{rest[rest.index('-p') + 1]}"
    install(Worker(Path(home), Path(jar_sets), Path(work), address))
    server.main(rest)
