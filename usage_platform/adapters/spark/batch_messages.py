"""The messages of a micro-batch, collected from Spark.

Belongs here: how much of a message leaves Spark. Not here: what a message means (`core`).
"""

from typing import TYPE_CHECKING

import pandas as pd

from usage_platform.core.time.broker_time import broker_times

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_MOST_KEY_BYTES = 1_000


def collected_messages(frame: "DataFrame", most_bytes: int, *more: str) -> pd.DataFrame:
    """The messages of a batch; a value that is too large is cut in Spark, before it is collected.

    Args:
        frame: Rows of Spark's Kafka source.
        most_bytes: The longest value that means anything; one byte more is collected, which shows
            that the value was too large.
        more: Further columns, as expressions in Spark SQL with their names.

    Returns:
        `topic`, `partition`, `offset`, `kafka_time` (datetime64[ns, UTC]), `key` and `value` (bytes
        or None; of a key the first bytes, more than a meter's name has), and what is asked for
        besides.
    """
    return with_times(frame.selectExpr(*message_columns(most_bytes), *more).toPandas())


def message_columns(most_bytes: int) -> list[str]:
    """The columns of the messages that leave Spark, as expressions in Spark SQL.

    Args:
        most_bytes: As for `collected_messages`.
    """
    return [
        "topic",
        "partition",
        "offset",
        "unix_millis(timestamp) AS kafka_time",
        f"substring(key, 1, {_MOST_KEY_BYTES}) AS key",
        f"substring(value, 1, {most_bytes + 1}) AS value",
    ]


def with_times(messages: pd.DataFrame) -> pd.DataFrame:
    """Messages of which the milliseconds in `kafka_time` have become times."""
    return messages.assign(kafka_time=broker_times(messages["kafka_time"].tolist()))
