"""Runs that fail for external reasons fail with one line, and ticks are skipped with one.

Belongs here: turning the known errors of disks, brokers and services into Dagster's `Failure`, or
into its `SkipReason` where a sensor does the work itself. Not here: the lines' text (the adapters),
or when a run is started again (the sensors).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, TypeVar

import dagster as dg
from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.adapters.kafka.topics import KafkaUnreachableError
from usage_platform.adapters.lake.errors import LakeError, what_to_do
from usage_platform.adapters.lake.lease import LeaseError
from usage_platform.adapters.mqtt.subscription import SubscriptionError
from usage_platform.adapters.mqtt.tls import CertificateError
from usage_platform.adapters.spark.session import SparkFailedError, SparkUnreachableError
from usage_platform.core.readings.source import SourceError
from usage_platform.local.errors import LocalError
from usage_platform.services.average_samples import AveragerFencedError
from usage_platform.services.collect_samples import CollectError
from usage_platform.services.kept_client import ClientBusyError
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.sum_groups import SumsFencedError
from usage_platform.settings.settings import SettingsError

_KNOWN = (
    CertificateError,
    CollectError,
    LakeError,
    LeaseError,
    LocalError,
    KafkaUnreachableError,
    ScorerFencedError,
    SparkUnreachableError,
    SparkFailedError,
    SettingsError,
    SubscriptionError,
)

_FENCED = (ScorerFencedError, AveragerFencedError, SumsFencedError)
STAGE_ERRORS = (
    ClientBusyError,
    *_FENCED,
    KafkaUnreachableError,
    KafkaException,
    LakeError,
)
"""What ends a tick that moves events from one topic to another, without loss."""

WAITED_FOR = (KafkaUnreachableError, KafkaException, LakeError, SettingsError, SourceError)
"""What keeps a sensor from knowing whether a run is due; it looks again at its next tick."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


@contextmanager
def _failing_in_one_line() -> Iterator[None]:
    try:
        yield
    except _KNOWN as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None
    except KafkaException as error:
        raise dg.Failure(description=kafka_error_line(error), allow_retries=False) from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise dg.Failure(description=what_to_do(error, remote=False), allow_retries=False) from None


def fails_in_one_line(function: _Function) -> _Function:
    """Decorate an asset's function, below `dg.asset`, so that known errors are its run's one line.

    Args:
        function: It returns its result, or yields some.
    """

    @wraps(function)
    def result(*args: object, **kwargs: object) -> object:
        with _failing_in_one_line():
            return function(*args, **kwargs)

    @wraps(function)
    def results(*args: object, **kwargs: object) -> Iterator[object]:
        with _failing_in_one_line():
            yield from function(*args, **kwargs)

    return results if isgeneratorfunction(function) else result  # type: ignore[return-value]


def skip_reason(*reasons: str) -> dg.SkipReason:
    """Why a tick did nothing, from the reasons that are not empty."""
    return dg.SkipReason("; ".join(filter(None, reasons)))


def skipped(error: Exception) -> dg.SkipReason:
    """Why a tick did not go on; the next one does.

    Args:
        error: One of `STAGE_ERRORS`.
    """
    if isinstance(error, ClientBusyError):
        return dg.SkipReason("the tick before still waits for Kafka")
    if isinstance(error, _FENCED):
        return dg.SkipReason(str(error))
    line = error_line(error)
    return dg.SkipReason(f"begins again at the next tick, nothing is lost or doubled: {line}")


def error_line(error: Exception) -> str:
    """What went wrong, in one line and in words."""
    return kafka_error_line(error) if isinstance(error, KafkaException) else str(error)
