"""Work on the executors of a cluster.

Belongs here: sending work to Spark's tasks and getting the results. Not here: the work itself
(`services`), sharing this machine's processors (`adapters.processes`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Task = TypeVar("Task")


def tasks_of_job(spark: "SparkSession") -> int:
    """How many tasks the executors of a job run at once, as far as is known when it starts.

    Args:
        spark: A session in the driver, not one of Spark Connect.

    Returns:
        What the job has asked for, or what has come if that is more; at least 1.
    """
    context = spark.sparkContext
    conf = context.getConf()
    executors = int(conf.get("spark.executor.instances", "0"))
    asked_for = executors * int(conf.get("spark.executor.cores", "1"))
    return max(asked_for, context.defaultParallelism)


def map_on_executors(
    spark: "SparkSession", work: Callable[[Task], str], tasks: Sequence[Task]
) -> list[str]:
    """Do work on tasks on the executors, a Spark task for each.

    Args:
        spark: The session.
        work: Can be pickled; its results are texts.
        tasks: Can be pickled.

    Returns:
        The results in the order of the tasks, once all are there.
    """
    if not tasks:
        return []

    def results(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for frame in frames:
            yield frame.assign(result=[work(tasks[number]) for number in frame["id"]])

    numbers = spark.range(0, len(tasks), 1, len(tasks))
    rows = numbers.mapInPandas(results, "id long, result string").collect()
    return [row["result"] for row in sorted(rows, key=lambda row: row["id"])]
