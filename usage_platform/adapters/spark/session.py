"""Spark sessions: on the warm service by Spark Connect, one of this process's own, or a cluster's.

Belongs here: how Spark is set up for Delta and Kafka. Not here: the service's process (`local`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from usage_platform.adapters.lake.errors import ON_S3, one_line
from usage_platform.adapters.lake.tables import Lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONF: Mapping[str, str] = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    # Batches are tables of Arrow records; no row is made into a Python object on its way.
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}

_SMALL_BATCHES: Mapping[str, str] = {
    "spark.sql.shuffle.partitions": "2",
    # Batches are small and their plans simple: planning again between stages costs more than it
    # saves (measured: a merge of one reading takes half as long without).
    "spark.sql.adaptive.enabled": "false",
    # Nearly every statement is another plan, and to write and compile code for it costs more than
    # to interpret it (measured: a cold batch takes two thirds of the time, one of 100,000 readings
    # four fifths).
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.driver.memory": "2g",
}

# On S3 the region is found as by all of AWS's clients. By Hadoop's own limits a server that has
# fallen silent would be asked for hours; by these a batch fails within minutes, and the next run
# does it.
_S3_CONF: Mapping[str, str] = {
    "spark.hadoop.fs.s3a.endpoint.region": "",
    "spark.hadoop.fs.s3a.connection.establish.timeout": "15s",
    "spark.hadoop.fs.s3a.connection.timeout": "20s",
    "spark.hadoop.fs.s3a.attempts.maximum": "1",
    "spark.hadoop.fs.s3a.retry.limit": "1",
}

# Spark Connect's default asks a service that has gone away for ten minutes, and one that was
# started again knows nothing of the session. Over these tries, 12 seconds, a run fails instead, and
# the next one begins where it stopped.
_RETRIES: Mapping[str, Any] = {"max_retries": 6, "max_backoff": 4000}


_DEAD_DISK = re.compile(
    r".*(?:No space left on device|Disk quota exceeded|File too large|Read-only file system"
    r"|Permission denied|Operation not permitted|Mkdirs failed to create"
    r"|Cannot create|Unable to create).*"
)


# What Amazon's client says, before what it is about to do next and the number of the request.
_S3_SAYS = re.compile(
    r"awssdk\.[\w.]*Exception: (?P<said>.+?)(?: \((?:SDK Attempt|Service: )|: +software\.|$)", re.M
)
_WAITS = "what was not written waits on the topic and is done by the next run"


def spark_conf(lake: Lake) -> Mapping[str, str]:
    """How Spark is set up on this machine for a lake."""
    return {**_CONF, **_SMALL_BATCHES, **(_S3_CONF if "://" in lake.root else {})}


class SparkUnreachableError(ConnectionError):
    """The Spark service does not answer; the message says where and what to do."""


class SparkFailedError(RuntimeError):
    """Spark could not do what it was asked; one line with the cause and what to do."""


@contextmanager
def remote_session(url: str) -> Iterator["SparkSession"]:
    """A session on the warm service.

    Args:
        url: Spark Connect URL, `sc://host:port`.

    Raises:
        SparkUnreachableError: When the service does not answer.
        SparkFailedError: When what is done with the session fails in Spark.
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
            f"Spark at {url} does not answer ({type(error).__name__}): start the platform with "
            "'usage-platform up', or set USAGE_SPARK_REMOTE"
        ) from error
    with _used(spark, RpcError):
        yield spark


@contextmanager
def own_session(jars: Sequence[str], lake: Lake) -> Iterator["SparkSession"]:
    """A session in a JVM of this process, for a run without the service; takes 15-30 s to start.

    Args:
        jars: Folders of the jars that Delta and Kafka need, and S3 where the lake is there.
        lake: What is worked on.
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
    """A session on the cluster that this process was submitted to, which sizes and places it.

    Raises:
        SparkFailedError: When what is done with the session fails in Spark.
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
    """Stop the session in the end; what fails in between is told in one line."""
    try:
        with failing_in_one_line(*more):
            yield
    finally:
        spark.stop()


@contextmanager
def failing_in_one_line(*more: type[Exception]) -> Iterator[None]:
    """Tell what fails in Spark in one line.

    Args:
        more: What the way to it raises.

    Raises:
        SparkFailedError: In place of whatever Spark, or the way to it, raises.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, *more) as error:
        raise SparkFailedError(_in_one_line(str(error))) from error


def _in_one_line(said: str) -> str:
    """The line that names the cause: that of a dead disk or of S3 where there is one."""
    on_s3 = _S3_SAYS.search(said)
    if on_s3:
        return f"Spark cannot use the lake ({one_line(on_s3['said'])}): {ON_S3}; {_WAITS}"
    found = _DEAD_DISK.search(said)
    if found:
        return (
            f"Spark cannot write ({one_line(found[0])}): make room, or make the lake and the data "
            f"folder writable; {_WAITS}"
        )
    return (
        f"Spark: {one_line(said)}; {_WAITS}; Spark's log (on this machine logs/spark.log in the "
        "data folder) says more"
    )


def interrupt(spark: "SparkSession") -> None:
    """Break off what a session is doing; the thread that waits for it gets an exception."""
    # By its name: where there is no Spark Connect, as on a cluster, its classes cannot be imported.
    is_remote = type(spark).__module__.startswith("pyspark.sql.connect.")
    # A service that has gone away does nothing that had to be broken off.
    with suppress(Exception):
        if is_remote:
            spark.interruptAll()
        else:
            spark.sparkContext.cancelAllJobs()
