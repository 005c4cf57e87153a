"""A continuous ingestion ends for a run that waits: in Dagster's queue, or at the lake's lock.

And when the meters are other ones: its batches hold those of its start.
"""

from types import SimpleNamespace

import dagster as dg
import pytest

from usage_platform.definitions import defs
from usage_platform.defs.lake_assets import is_awaited, is_to_end
from usage_platform_tests.defs.conftest import Platform

JOBS = {"backfill": True, "upkeep": True, "micro_batch": True, "playback": False, "report": False}


@pytest.fixture
def ask(instance, tmp_path, monkeypatch):
    """Whether the ingestion is awaited while these runs are queued."""

    def asked(*jobs, waits=False):
        runs = [instance.create_run_for_job(defs.resolve_job_def(job)) for job in jobs]
        monkeypatch.setattr(instance, "get_runs", lambda filters, limit: queued(runs, filters))
        deployment = SimpleNamespace(lake_writer=SimpleNamespace(is_awaited=lambda: waits))
        return is_awaited(instance, deployment)

    def queued(runs, filters):
        # A queued run has an origin, which only a code server gives it.
        assert filters.statuses == [dg.DagsterRunStatus.QUEUED]
        return runs

    return asked


@pytest.mark.parametrize(("job", "wants_the_lake"), JOBS.items())
def test_it_ends_for_a_queued_run_that_writes_to_the_lake(ask, job, wants_the_lake):
    assert ask(job) is wants_the_lake


def test_it_continues_while_nothing_waits(ask):
    assert ask() is False


def test_it_ends_when_a_meter_is_described_in_another_way(instance, tmp_path):
    deployment = Platform(tmp_path).deployment
    deployment.assets.write_text("meters.yaml", "meters: [{name: roof}]")
    registry = deployment.registry()
    assert not is_to_end(instance, deployment, registry)
    deployment.assets.write_text("meters.yaml", "meters: [{name: roof, sign: nett}]")
    assert not is_to_end(instance, deployment, registry)
    deployment.assets.write_text("meters.yaml", "meters: [{name: roof, sign: net}]")
    assert is_to_end(instance, deployment, registry)


def test_it_ends_for_a_process_that_waits_at_the_lock(ask):
    assert ask(waits=True) is True


def test_nothing_waits_at_the_lock_of_a_lake_of_its_own(tmp_path):
    deployment = Platform(tmp_path).deployment
    (tmp_path / "run").mkdir()
    assert deployment.lake_writer.is_awaited() is False
