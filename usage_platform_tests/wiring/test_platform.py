"""Sessions to write with: one at a time on a lake, whichever platform asks."""

import json
import os
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from usage_platform.adapters.lake.lease import LeaseError, LeaseLentError, writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.cluster.job import carry_out
from usage_platform.cluster.request import RecomputeHours, Request
from usage_platform.defs.failures import fails_in_one_line
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform
from usage_platform_tests.local.fake_java import fake_java


def test_what_is_lent_to_a_job_stays_lent_until_it_is_given_back(tmp_path):
    deployment = Platform(Settings.from_env({}, data=tmp_path))
    borrower = Holder("emr-serverless", "a-run")
    with deployment.lake_writer.lending(borrower) as lent, pytest.raises(LeaseLentError):
        deployment.writer_lease.take()
    # As when the run ended while it could not tell whether the job had.
    with (
        pytest.raises(LeaseLentError),
        deployment.lake_writer.lending(Holder("emr-serverless", "another")),
    ):
        pytest.fail("two write")
    there = writer_lease(deployment.lake, borrower, borrowed=True)
    there.take()
    there.give_back()
    deployment.writer_lease.take()
    with deployment.lake_writer.lending(borrower) as lent:
        lent.give_back()
    told = json.loads((tmp_path / "lake" / "leases" / "writer.json").read_text())
    assert told["expires"] == told["renewed"]
    with pytest.raises(LeaseError, match="no longer lent to the job emr-serverless:a-run"):
        there.take()


def test_work_on_a_cluster_is_not_begun_without_the_lease(tmp_path):
    lake = str(tmp_path / "lake")
    deployment = Platform(Settings.from_env({}, data=tmp_path, lake=lake))
    work = RecomputeHours(first=date(2024, 3, 5), last=date(2024, 3, 5))
    deployment.writer_lease.take()
    request = Request.of(deployment.settings, work, ("emr-serverless", "a-run"))
    with pytest.raises(LeaseError, match="no longer lent"):
        carry_out(request, pytest.fail)
    assert not (tmp_path / "lake" / "deltalake").exists()


def test_a_session_of_this_process_is_told_of_the_java_that_fits(tmp_path, monkeypatch):
    java = fake_java(tmp_path / "java", "17")
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "old", "11")))
    monkeypatch.setenv("PATH", f"{java}/bin:/bin")

    @contextmanager
    def own_session(*args):
        yield os.environ["JAVA_HOME"]

    monkeypatch.setattr("usage_platform.wiring.platform.own_session", own_session)
    with Platform(Settings.from_env({}, data=tmp_path)).lake_writer.session() as named:
        assert named == str(java)


@pytest.mark.spark
def test_a_second_platform_on_one_lake_is_refused_until_the_first_has_finished(
    tmp_path, spark_url, monkeypatch
):
    lake = str(tmp_path / "lake")
    one, other = (
        Platform(Settings.from_env({}, data=tmp_path / name, lake=lake, spark_remote=spark_url))
        for name in ("one", "other")
    )
    for name, value in other.settings.environment().items():
        monkeypatch.setenv(name, value)

    def write():
        with other.lake_writer.session():
            pytest.fail("two write")

    with one.lake_writer.session() as spark:
        with (
            pytest.raises(LeaseError, match=f":{tmp_path}/one, which has it until "),
            other.lake_writer.session(),
        ):
            pytest.fail("two write")
        with pytest.raises(dg.Failure) as failed:
            fails_in_one_line(write)()
        assert not failed.value.allow_retries
        assert str(failed.value.description).startswith(f"the lake {lake} is written to by ")
        assert spark.range(3).count() == 3
    with other.lake_writer.session() as spark:
        assert spark.range(3).count() == 3
    # As a kill -9 leaves it: taken, and not given back.
    one.writer_lease.take()
    with one.lake_writer.session() as spark:
        assert spark.range(3).count() == 3
    told = json.loads(Path(lake, "leases", "writer.json").read_text())
    assert told["expires"] == told["renewed"]
