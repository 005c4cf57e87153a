"""The one line of a failure in Spark names its cause, in texts as Spark 4.2 prints them."""

import pytest

from usage_platform.adapters.spark.failure_cause import root_cause

HEAD = (
    "[STREAM_FAILED] Query [id = fa1a4efd-446b, runId = 4678c638-7eca] terminated with exception: "
)
WORKER = (
    "[PYTHON_EXCEPTION] [session: 3a196ea5-7650] [userId: ] Found error inside foreachBatch Python "
    "process: Traceback (most recent call last):\n"
    '  File "foreach_batch_worker.py", line 85, in main\n'
    "    process(df_ref_id, int(batch_id))\n"
)
AROUND = " SQLSTATE: 38000 SQLSTATE: XXKST\n=== Streaming Query ===\nIdentifier: usage_to_lake\n\n"


def streamed(error: str) -> str:
    """As Spark Connect gives the failure of a batch: once in the message, once as its cause."""
    repeated = f"Caused by: org.apache.spark.api.python.PythonException: {WORKER}{error}"
    return f"{HEAD}{WORKER}{error}\n{AROUND}org.apache.spark.StreamingQueryException\n{repeated}"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            "ValueError: meter 'x' is broken:\nsecond line",
            "ValueError: meter 'x' is broken:",
        ),
        (
            "usage_platform.adapters.lake.errors.LakeError: /x/y: damaged (boo); restore it",
            "/x/y: damaged (boo); restore it",
        ),
        (
            "pyspark.errors.exceptions.connect.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The "
            "table `no_such` cannot be found. SQLSTATE: 42P01; line 1",
            "AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table `no_such` cannot be found.",
        ),
        (
            "pyspark.errors.exceptions.connect.SparkException: Job aborted due to stage failure\n\n"
            "JVM stacktrace:\norg.apache.spark.SparkException\n\tat x.y(z.scala:1)\n"
            "Caused by: java.lang.OutOfMemoryError: Java heap space",
            "SparkException: Job aborted due to stage failure (Java heap space)",
        ),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        (
            "KeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n"
            "\nTraceback (most recent call last):\n"
            '  File "x.py", line 1, in y\nRuntimeError: the last one',
            "RuntimeError: the last one",
        ),
    ],
)
def test_an_error_inside_a_batch_is_the_workers_own(error, cause):
    found = root_cause(streamed(error))
    assert found.startswith(cause)
    assert "session" not in found
    assert "\n" not in found


def test_a_failure_of_the_stream_itself_is_the_deepest_cause():
    text = (
        f"{HEAD}Job aborted due to stage failure: Task 0 in stage 1.0 failed\n=== Streaming Query\n"
        "org.apache.spark.sql.streaming.StreamingQueryException\n"
        "Caused by: org.apache.spark.SparkException: Job aborted due to stage failure\n"
        "Caused by: java.lang.IllegalStateException: Partition usage-0's offset was changed\n"
    )
    assert root_cause(text) == "IllegalStateException: Partition usage-0's offset was changed"


def test_a_text_without_a_cause_is_its_first_line():
    assert root_cause("[CONNECT] the service is gone\nmore") == "[CONNECT] the service is gone"
    text = (
        "Python worker failed to connect back.\n\nJVM stacktrace:\norg.apache.SparkException\n"
        "Caused by: java.net.SocketTimeoutException: Timed out while waiting\n"
    )
    assert root_cause(text) == (
        "Python worker failed to connect back. (SocketTimeoutException: Timed out while waiting)"
    )
