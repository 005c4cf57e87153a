"""The file beside Spark's checkpoint, and Spark's offsets, without a JVM."""

import shutil
from pathlib import Path

import pytest

from usage_platform.adapters.lake.checkpoints import Checkpoint, Checkpoints
from usage_platform.adapters.lake.errors import LakeError

FIRST = Checkpoint()


@pytest.fixture
def checkpoints(lake) -> Checkpoints:
    return Checkpoints(lake, "usage")


def test_before_the_first_batch_nothing_is_in_the_lake(checkpoints, spark_batch):
    assert checkpoints.committed(FIRST) == {}
    spark_batch(0, {"0": 5}, finished=False)
    assert checkpoints.committed(FIRST) == {}
    assert checkpoints.planned(FIRST) == {0: 5}


def test_the_newest_finished_batch_counts_and_ten_is_newer_than_nine(checkpoints, spark_batch):
    for number in range(11):
        spark_batch(number, {"0": number, "1": 2 * number})
    spark_batch(11, {"0": 99, "1": 99}, finished=False)
    assert checkpoints.committed(FIRST) == {0: 10, 1: 20}
    assert checkpoints.planned(FIRST) == {0: 99, 1: 99}


def test_what_was_saved_is_current_and_a_new_number_is_a_new_folder(checkpoints, lake, spark_batch):
    spark_batch(0, {"0": 5})
    assert checkpoints.current() == FIRST
    second = Checkpoint("an-id", 2, {0: 7})
    checkpoints.save(second)
    assert checkpoints.current() == second
    assert checkpoints.committed(second) == {}
    assert checkpoints.folder(FIRST) == lake.checkpoint("usage")
    assert checkpoints.folder(second) != checkpoints.folder(FIRST)


def test_the_offsets_of_all_checkpoints_count(checkpoints, lake, spark_batch):
    spark_batch(0, {"0": 5, "1": 2})
    assert checkpoints.offsets_of_all() == 7
    checkpoints.save(Checkpoint("an-id", 2))
    assert checkpoints.offsets_of_all() == 7
    shutil.copytree(lake.checkpoint("usage"), checkpoints.folder(checkpoints.current()))
    assert checkpoints.offsets_of_all() == 14


@pytest.mark.aws
def test_it_is_kept_on_s3_too(s3_lake):
    checkpoints = Checkpoints(s3_lake, "usage", "emr")
    checkpoints.save(Checkpoint("an-id", 3))
    assert Checkpoints(s3_lake, "usage", "emr").current() == Checkpoint("an-id", 3)
    assert Checkpoints(s3_lake, "usage").current() == FIRST


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"topic_id": "x", "number": "y", "accepted": {}}', "{"]
)
def test_a_damaged_file_is_named_in_one_line(checkpoints, lake, text):
    file = Path(lake.checkpoint("usage.json"))
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(LakeError, match=r"usage\.json: damaged") as raised:
        checkpoints.current()
    assert "\n" not in str(raised.value)
