"""A Python worker that calls back too late is started again; no other failure is."""

from typing import Any, cast

import pytest
from pyspark.errors import PySparkException

from usage_platform.adapters.spark.query_start import start_query

_TOO_SLOW = PySparkException(
    "Python worker failed to connect back.\n\nJVM stacktrace:\norg.apache.spark.SparkException\n"
    "Caused by: java.net.SocketTimeoutException: Timed out while waiting for the Python worker "
    "to connect back\n"
)


class Writer:
    """Stands for Spark's `DataStreamWriter`; its first starts fail."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = [*failures]
        self.triggers: list[dict[str, object]] = []

    def trigger(self, **trigger: object) -> "Writer":
        self.triggers.append(trigger)
        return self

    def start(self) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return "the query"


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_slow_worker_is_started_again(failures):
    writer = Writer(*[_TOO_SLOW] * failures)
    assert start_query(cast("Any", writer), availableNow=True) == "the query"
    assert writer.triggers == [{"availableNow": True}] * (failures + 1)


def test_a_worker_that_never_calls_back_is_a_failure():
    writer = Writer(*[_TOO_SLOW] * 9)
    with pytest.raises(PySparkException, match="failed to connect back"):
        start_query(cast("Any", writer), availableNow=True)
    assert len(writer.triggers) == 3


def test_another_failure_is_not_tried_again():
    writer = Writer(PySparkException("the checkpoint is not readable"))
    with pytest.raises(PySparkException, match="the checkpoint is not readable"):
        start_query(cast("Any", writer), availableNow=True)
    assert len(writer.triggers) == 1
