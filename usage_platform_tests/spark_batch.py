"""Progress of a stream into the lake, written as Spark does, without Spark."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.tables import Lake

SparkBatch = Callable[..., None]


def write_spark_batch(
    lake: Lake, number: int, offsets: dict[str, int], finished: bool = True
) -> None:
    """Write a batch of the topic `usage`: planned in `offsets`, and finished in `commits`."""
    root = Path(lake.checkpoint(USAGE))
    for folder in ("offsets", "commits"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    text = f'v1\n{{"batchWatermarkMs":0}}\n{json.dumps({USAGE: offsets})}'
    (root / "offsets" / str(number)).write_text(text)
    (root / "offsets" / f".{number}.crc").write_text("crc")
    if finished:
        (root / "commits" / str(number)).write_text('v1\n{"nextBatchWatermarkMs":0}')
        (root / "commits" / f".{number}.crc").write_text("crc")


@pytest.fixture
def spark_batch(lake: Lake) -> SparkBatch:
    """`write_spark_batch` into the test's lake."""
    return partial(write_spark_batch, lake)
