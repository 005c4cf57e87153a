"""The job on a cluster: the platform's own functions, on the cluster's Spark, under the lent lease.

Belongs here: carrying out a request, and telling what came of it. Not here: the form of requests
(`request`), starting jobs (`adapters.aws.emr_jobs`), the work itself (other adapters).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dagster_pipes import open_dagster_pipes

from usage_platform.adapters.kafka.topics import KafkaUnreachableError
from usage_platform.adapters.lake.errors import LakeError, one_line
from usage_platform.adapters.lake.lease import LeaseError, writer_lease
from usage_platform.adapters.lake.lease_record import Holder
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
from usage_platform.services.train import TrainingError
from usage_platform.services.train_request import train_into
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Platform

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OWN_CHECKPOINT = "emr"
"""The cluster's folder among the checkpoints: another version of Spark need not understand ours."""
WHY_NOT = "usage-platform: "
"""What begins the line of the log that says why a job did nothing, or not all."""

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
    """Carry out the request that came with this process; the exit code says whether it was done."""
    with open_dagster_pipes() as pipes:
        try:
            request = Request.parsed(pipes.extras)
            pipes.report_custom_message(carry_out(request, pipes.log.info))
        except _KNOWN as error:
            _tell(str(error))
            return 1
        except Exception as error:
            _tell(f"{type(error).__name__}: {one_line(str(error))}; the log says where")
            raise
    return 0


def _tell(why_not: str) -> None:
    print(f"{WHY_NOT}{why_not}", flush=True)


def carry_out(request: Request, progress: Callable[[str], None]) -> dict[str, Any]:
    """Do what is asked.

    Args:
        request: What is asked.
        progress: Told what was done.

    Returns:
        What came of it, as plain values: `hours`; what a run of each stream did, by topic
        (`DrainResult`); or the models (`OrderedModels`).

    Raises:
        RuntimeError: One of the known errors, in one line.
    """
    platform = Platform(Settings.from_env(request.settings))
    if isinstance(request.work, TrainModels):
        return _models(platform, request.work, progress)
    if request.borrower is None:
        raise RequestError("borrower: none; work that writes tables needs the lease")
    with _writing(platform, Holder(*request.borrower)) as spark:
        if isinstance(request.work, RecomputeHours):
            return _hours(platform, spark, request.work, progress)
        return _topics(platform, spark, progress)


@contextmanager
def _writing(platform: Platform, borrower: Holder) -> Iterator["SparkSession"]:
    """A session under the lease, which is given back at the end to whoever has lent it."""
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
    done = drain_topics(spark, lake, registry, kafka, progress, OWN_CHECKPOINT)
    return {topic: asdict(drained) for topic, drained in done.items()}


def _models(
    platform: Platform, work: TrainModels, progress: Callable[[str], None]
) -> dict[str, Any]:
    # Without the lease: no table is written, and a model appears whole with its manifest, so that
    # training on this machine needs none either.
    trained = train_into(
        platform.models,
        platform.reader,
        platform.registry(),
        work.order(platform.labels.read()),
        datetime.now(UTC),
        progress,
    )
    return asdict(trained)
