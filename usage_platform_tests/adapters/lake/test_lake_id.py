"""A lake has one id for ever."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.lake.tables import Lake


@pytest.mark.parametrize("kind", ["lake", pytest.param("s3_lake", marks=pytest.mark.aws)])
def test_several_first_calls_make_one_id_that_stays(request, kind):
    lake = request.getfixturevalue(kind)
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: lake_id(lake), range(8)))
    assert made == {lake_id(lake)}


@pytest.mark.aws
def test_the_id_of_a_lake_that_is_a_whole_bucket_lies_beside_its_folders(s3_lake):
    bucket = s3_lake.root.removeprefix("s3://").partition("/")[0]
    made = lake_id(Lake(f"s3://{bucket}"))
    (found,) = boto3.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"] == "lake.json"
    assert lake_id(Lake(f"s3://{bucket}")) == made


def test_two_lakes_have_two(tmp_path):
    assert lake_id(Lake(str(tmp_path / "a"))) != lake_id(Lake(str(tmp_path / "b")))


def test_a_damaged_one_is_named_in_one_line(lake):
    lake_id(lake)
    (Path(lake.root) / "lake.json").write_text("{")
    with pytest.raises(LakeError, match=r"lake\.json: damaged"):
        lake_id(lake)
