"""The job on a cluster: runs the platform's services on the cluster's Spark, under the lent lease.

Belongs here: executing a request, and reporting its result. Not here: the form of requests
(`request`), starting jobs (`adapters.aws.emr_jobs`), the work itself (`services`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from dagster_pipes import open_dagster_pipes

from usage_platform.adapters.kafka.topics import KafkaUnreachableError
from usage_platform.adapters.lake.errors import LakeError, one_line
from usage_platform.adapters.lake.lease import LeaseError, writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.spark.executors import tasks_of_job
from usage_platform.adapters.spark.session import SparkFailedError, cluster_session
from usage_platform.cluster.request import (
    RecomputeHours,
    Request,
    RequestError,
    TrainModels,
)
from usage_platform.services.backfill import recompute_range
from usage_platform.services.ingest import drain_topics
from usage_platform.services.lake_writer import session_under_lease
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_bucket import on_executors
from usage_platform.services.train_weeks import TrainingError
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OWN_CHECKPOINT = "emr"
"""The cluster's folder of checkpoints: another version of Spark may not read those of this one."""
WHY_NOT = "usage-platform: "
"""Prefix of the log line with the error of a job."""

_KNOWN = (
    KafkaUnreachableError,
    LakeError,
    LeaseError,
    RequestError,
    SettingsError,
    SparkFailedError,
    TrainingError,
)


def main() -> int:
    """Execute the request of this process; returns its exit code, 0 for success."""
    with open_dagster_pipes() as pipes:
        try:
            request = Request.parsed(pipes.extras)
            pipes.report_custom_message(carry_out(request, pipes.log.info))
        except _KNOWN as error:
            _print_error(str(error))
            return 1
        except Exception as error:
            _print_error(f"{type(error).__name__}: {one_line(str(error))}; see the log")
            raise
    return 0


def _print_error(message: str) -> None:
    print(f"{WHY_NOT}{message}", flush=True)


def carry_out(request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """Execute a request.

    Args:
        request: The request.
        progress: Called with a line now and then.

    Returns:
        The result as plain values: `hours`; the result of each stream by topic (`DrainResult`); or
        the models (`TrainingResult`).

    Raises:
        RuntimeError: One of the known errors, in one line.
    """
    platform = Platform(Settings.from_env(request.settings))
    if isinstance(request.work, TrainModels):
        # Without the lease: no table is written, and a model is complete once its manifest is
        # there, so that training on this machine needs no lease either.
        with cluster_session() as spark:
            return _models(platform, spark, request.work, progress)
    if request.borrower is None:
        raise RequestError("borrower: none; work that writes tables needs the lease")
    with _writing(platform, Holder(*request.borrower)) as spark:
        if isinstance(request.work, RecomputeHours):
            return _hours(platform, spark, request.work, progress)
        return _topics(platform, spark, progress)


@contextmanager
def _writing(platform: Platform, borrower: Holder) -> Iterator["SparkSession"]:
    """A session under the lease, which is returned to its lender at the end."""
    lease = writer_lease(platform.lake, borrower, borrowed=True)
    lease.take()
    try:
        with session_under_lease(lease, cluster_session()) as spark:
            yield spark
    finally:
        lease.give_back()


def _hours(
    platform: Platform,
    spark: "SparkSession",
    work: RecomputeHours,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    lake, registry = platform.lake, platform.registry()
    return {"hours": recompute_range(spark, lake, registry, work.first, work.last, progress)}


def _topics(
    platform: Platform, spark: "SparkSession", progress: Callable[[str], None]
) -> dict[str, Any]:
    lake, registry, kafka = platform.lake, platform.registry(), platform.kafka
    tasks = tasks_of_job(spark)
    done = drain_topics(spark, lake, registry, kafka, progress, OWN_CHECKPOINT, tasks=tasks)
    return {topic: asdict(drained) for topic, drained in done.items()}


def _models(
    platform: Platform,
    spark: "SparkSession",
    work: TrainModels,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    trained = train_and_promote(
        platform.models,
        platform.reader,
        platform.registry(),
        platform.labels.read(),
        work.request(),
        datetime.now(UTC),
        progress,
        partial(on_executors, spark),
    )
    return asdict(trained)
