"""Sessions to write with: one at a time on a lake, whichever platform asks."""

import json
from pathlib import Path

import dagster as dg
import pytest

from usage_platform.adapters.lease import LeaseError
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.deployment import Deployment
from usage_platform.settings import Settings


@pytest.mark.spark
def test_a_second_platform_on_one_lake_is_refused_until_the_first_has_finished(
    tmp_path, spark_url, monkeypatch
):
    lake = str(tmp_path / "lake")
    one, other = (
        Deployment(Settings.from_env({}, data=tmp_path / name, lake=lake, spark_remote=spark_url))
        for name in ("one", "other")
    )
    for name, value in other.settings.environment().items():
        monkeypatch.setenv(name, value)

    def write():
        with other.spark():
            pytest.fail("two write")

    with one.spark() as spark:
        with (
            pytest.raises(LeaseError, match=f":{tmp_path}/one, which has it until "),
            other.spark(),
        ):
            pytest.fail("two write")
        with pytest.raises(dg.Failure) as failed:
            fails_in_one_line(write)()
        assert not failed.value.allow_retries
        assert str(failed.value.description).startswith(f"the lake {lake} is written to by ")
        assert spark.range(3).count() == 3
    with other.spark() as spark:
        assert spark.range(3).count() == 3
    # As a kill -9 leaves it: taken, and not given back.
    one.writer_lease.take()
    with one.spark() as spark:
        assert spark.range(3).count() == 3
    told = json.loads(Path(lake, "leases", "writer.json").read_text())
    assert told["expires"] == told["renewed"]
