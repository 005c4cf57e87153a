"""Spark sessions: on the warm service by Spark Connect, in this process, or on a cluster.

Belongs here: configuring Spark for Delta and Kafka. Not here: the process of the service (`local`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from usage_platform.adapters.lake.errors import ON_S3, one_line
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.address import without_parameters
from usage_platform.adapters.spark.failure_cause import root_cause

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONF: Mapping[str, str] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    # Batches are Arrow tables; no row becomes a Python object on its way.
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}

_SMALL_BATCHES: Mapping[str, str] = {
    "spark.sql.shuffle.partitions": "2",
    # Batches are small and their plans simple: replanning between stages costs more than it saves
    # (measured: a MERGE of one reading takes half as long without).
    "spark.sql.adaptive.enabled": "false",
    # Nearly every statement has another plan, and generating and compiling code for it costs more
    # than interpreting it (measured: a cold batch takes two thirds of the time, one of 100,000
    # readings four fifths).
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.driver.memory": "2g",
}

# An empty region is looked up as by all AWS clients. With Hadoop's own limits requests to a silent
# server are retried for hours; with these a batch fails within minutes, and the next run does it.
_S3_CONF: Mapping[str, str] = {
    "spark.hadoop.fs.s3a.endpoint.region": "",
    "spark.hadoop.fs.s3a.connection.establish.timeout": "15s",
    "spark.hadoop.fs.s3a.connection.timeout": "20s",
    "spark.hadoop.fs.s3a.attempts.maximum": "1",
    "spark.hadoop.fs.s3a.retry.limit": "1",
}

# By default Spark Connect retries for ten minutes when the service has gone, and a restarted
# service does not know the session. With these retries, 12 seconds, a run fails, and the next one
# resumes.
_RETRIES: Mapping[str, Any] = {"max_retries": 6, "max_backoff": 4000}


_DEAD_DISK = re.compile(
    r".*(?:No space left on device|Disk quota exceeded|File too large|Read-only file system"
    r"|Permission denied|Operation not permitted|Mkdirs failed to create"
    r"|Cannot create|Unable to create).*"
)


# The message of Amazon's client, without the attempts and the request id after it.
_S3_MESSAGE = re.compile(
    r"awssdk\.[\w.]*Exception: (?P<text>.+?)(?: \((?:SDK Attempt|Service: )|: +software\.|$)",
    re.M,
)
# Also true of a cause that does not pass: whatever was read, progress counts only what was written.
_WAITS = "what was not written does not count as done, and the next run tries it again"


def spark_conf(lake: Lake) -> Mapping[str, str]:
    """The Spark configuration on this machine for a lake."""
    return {**_CONF, **_SMALL_BATCHES, **(_S3_CONF if "://" in lake.root else {})}


def executors_conf(lake: Lake, tasks: int) -> Mapping[str, str]:
    """The Spark configuration for a lake where executors carry out large batches.

    Plans are then worth replanning and generating code for.

    Args:
        lake: The lake.
        tasks: How many tasks run at once.
    """
    return {
        **_CONF,
        **(_S3_CONF if "://" in lake.root else {}),
        "spark.sql.shuffle.partitions": str(2 * tasks),
        "spark.databricks.delta.snapshotPartitions": str(tasks),
        "spark.driver.memory": _SMALL_BATCHES["spark.driver.memory"],
    }


class SparkUnreachableError(ConnectionError):
    """The Spark service does not answer; one line with its address and what to do."""


class SparkFailedError(RuntimeError):
    """Spark failed; one line with the cause and what to do."""


@contextmanager
def remote_session(url: str) -> Iterator["SparkSession"]:
    """A session on the warm service.

    Args:
        url: Spark Connect URL, `sc://host:port`, with its parameters if it has any.

    Raises:
        SparkUnreachableError: When the service does not answer.
        SparkFailedError: When work in the session fails.
    """
    from grpc import RpcError
    from pyspark.sql import SparkSession
    from pyspark.sql.connect.client.retries import DefaultPolicy

    try:
        spark = SparkSession.builder.remote(url).create()
        spark.client.set_retry_policies([DefaultPolicy(**_RETRIES)])
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    except Exception as error:
        raise SparkUnreachableError(
            f"Spark at {without_parameters(url)} does not answer ({type(error).__name__}): start "
            "the platform with 'usage-platform up', or set USAGE_SPARK_REMOTE"
        ) from error
    with _used(spark, RpcError):
        yield spark


@contextmanager
def own_session(jars: Sequence[str], lake: Lake) -> Iterator["SparkSession"]:
    """A session in a JVM of this process, for a run without the service; starts in 15-30 s.

    Args:
        jars: Folders of the jars for Delta and Kafka, and for S3 where the lake is there.
        lake: The lake.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("usage-platform").master("local[*]")
    for key, value in spark_conf(lake).items():
        builder = builder.config(key, value)
    spark = (
        builder.config("spark.driver.extraClassPath", ":".join(f"{folder}/*" for folder in jars))
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    with _used(spark):
        yield spark


@contextmanager
def cluster_session() -> Iterator["SparkSession"]:
    """A session on the cluster that this process was submitted to, which sizes it.

    Raises:
        SparkFailedError: When work in the session fails.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("usage-platform")
    for key, value in _CONF.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    with _used(spark):
        yield spark


@contextmanager
def _used(spark: "SparkSession", *more: type[Exception]) -> Iterator[None]:
    """Stop the session at the end; a failure in between becomes one line."""
    try:
        with failing_in_one_line(*more):
            yield
    finally:
        spark.stop()


@contextmanager
def failing_in_one_line(*more: type[Exception]) -> Iterator[None]:
    """Turn a failure in Spark into one line.

    Args:
        more: Further exceptions, those of the connection to Spark.

    Raises:
        SparkFailedError: In place of the exceptions of Spark and of the connection.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, *more) as error:
        raise SparkFailedError(_in_one_line(str(error))) from error


def _in_one_line(text: str) -> str:
    """The line that names the cause: that of a full disk or of S3 where there is one."""
    on_s3 = _S3_MESSAGE.search(text)
    if on_s3:
        return f"Spark cannot use the lake ({one_line(on_s3['text'])}): {ON_S3}; {_WAITS}"
    on_disk = _DEAD_DISK.search(text)
    if on_disk:
        return (
            f"Spark cannot write ({one_line(on_disk[0])}): make room, or make the lake and the "
            f"data folder writable; {_WAITS}"
        )
    return (
        f"Spark: {root_cause(text)}; {_WAITS}; details are in Spark's log (on this machine "
        "logs/spark.log in the data folder)"
    )


def interrupt(spark: "SparkSession") -> None:
    """Interrupt the work of a session; the thread that waits for it gets an exception."""
    # By name: without Spark Connect, as on a cluster, its classes cannot be imported.
    is_remote = type(spark).__module__.startswith("pyspark.sql.connect.")
    # A service that has gone away has no work to interrupt.
    with suppress(Exception):
        if is_remote:
            spark.interruptAll()
        else:
            spark.sparkContext.cancelAllJobs()
