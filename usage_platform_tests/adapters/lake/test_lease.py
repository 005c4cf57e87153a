"""The lease on the lake: one holder at a time, whatever becomes of it."""

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from usage_platform.adapters.lake.holder_id import holder_of
from usage_platform.adapters.lake.lease import (
    LEASE_SECONDS,
    LakeAwayError,
    Lease,
    LeaseError,
    LeaseLentError,
    writer_lease,
)
from usage_platform.adapters.lake.lease_record import Held, Holder
from usage_platform.adapters.lake.lease_renewer import LeaseRenewer
from usage_platform.adapters.lake.tables import Lake
from usage_platform_tests.adapters.lake.lease_holders import NOON, ONE, OTHER, SOON, overwrite


def test_another_holder_is_refused_in_one_line_that_says_who_until_when_and_what_to_do(lease):
    lease(ONE).take()
    with pytest.raises(LeaseError) as refused:
        lease(OTHER).take()
    assert str(refused.value) == (
        "the lake LAKE is written to by one:/data, which has it until 2024-03-05 12:01:00Z and "
        "renews that while it runs: stop the platform there (after a crash, wait until then), or "
        "choose another USAGE_LAKE"
    )


def test_the_same_holder_has_it_again_at_once_after_a_crash(lease, store, clock):
    lease(ONE).take()
    clock.now += timedelta(seconds=10)
    lease(ONE).take()
    told = json.loads(store.read())
    assert (told["host"], told["folder"]) == ("one", "/data")
    assert told["taken"] == NOON.isoformat()
    assert told["renewed"] == clock.now.isoformat()
    assert told["expires"] == (clock.now + timedelta(seconds=LEASE_SECONDS)).isoformat()


def test_an_expired_one_can_be_taken_and_its_former_holder_then_finds_it_lost(lease, clock):
    lease(ONE).take()
    clock.now += timedelta(seconds=LEASE_SECONDS - 1)
    with pytest.raises(LeaseError):
        lease(OTHER).take()
    clock.now += timedelta(seconds=1)
    lease(OTHER).take()
    with pytest.raises(LeaseError, match="written to by other:/data"):
        lease(ONE).take()


def test_one_that_was_given_back_can_be_taken_at_once(lease):
    lease(ONE).take()
    lease(OTHER).give_back()
    with pytest.raises(LeaseError):
        lease(OTHER).take()
    lease(ONE).give_back()
    lease(OTHER).take()
    lease(ONE).give_back()
    with pytest.raises(LeaseError):
        lease(ONE).take()


def test_a_job_that_it_is_lent_to_keeps_it_from_all_until_it_gives_it_back(lease, clock):
    job = lease(ONE).lend(Holder("job", "backfill"))
    with pytest.raises(LeaseLentError, match=r"is lent to the job job:backfill, .+: wait for its"):
        lease(ONE).take()
    with pytest.raises(LeaseLentError):
        lease(ONE).lend(Holder("job", "training"))
    clock.now += timedelta(seconds=LEASE_SECONDS - 1)
    job.take()
    clock.now += timedelta(seconds=LEASE_SECONDS - 1)
    with pytest.raises(LeaseError, match="written to by job:backfill"):
        lease(OTHER).take()
    job.give_back()
    with pytest.raises(LeaseError, match="written to by one:/data"):
        lease(OTHER).take()
    lease(ONE).take()
    with pytest.raises(LeaseError):
        job.take()


def test_a_job_that_dies_has_it_no_longer_than_a_holder(lease, clock):
    job = lease(ONE).lend(Holder("job", "backfill"))
    clock.now += timedelta(seconds=LEASE_SECONDS)
    lease(ONE).take()
    with pytest.raises(LeaseError):
        job.take()


def test_a_job_that_begins_too_late_does_nothing_whoever_has_had_it_meanwhile(lease, store, clock):
    job = lease(ONE).lend(Holder("job", "backfill"))
    # EMR took long, nobody renewed it, and nobody else wanted it: it is still the job's.
    clock.now += timedelta(seconds=LEASE_SECONDS + 1)
    job.take()
    assert Held.parsed(store.read()).lender == ONE
    clock.now += timedelta(seconds=LEASE_SECONDS + 1)
    lease(OTHER).take()
    lease(OTHER).give_back()
    for _ in ("at once", "and after it has expired too"):
        with pytest.raises(LeaseError, match=r"is no longer lent to the job job:backfill: .+$"):
            job.take()
        clock.now += timedelta(seconds=LEASE_SECONDS + 1)
    job.give_back()
    assert Held.parsed(store.read()).holder == OTHER


def test_a_holder_goes_on_while_a_job_has_it_if_it_may(lease, clock):
    lost, lent = threading.Event(), threading.Event()
    with (
        LeaseRenewer(lease(ONE), lent.set, SOON, may_lend=True) as kept,
        LeaseRenewer(lease(ONE), lost.set, SOON),
    ):
        job = lease(ONE).lend(Holder("job", "backfill"))
        assert lost.wait(60)
        assert not lent.is_set()
        job.give_back()
        clock.now += timedelta(seconds=1)
        kept.check()


def test_of_many_that_take_a_free_one_at_the_same_moment_one_has_it(new_store, clock):
    start, got, refused = threading.Barrier(8), [], []

    def run(number):
        own = Holder(f"host-{number}", "/data")
        start.wait()
        try:
            Lease("LAKE", new_store(), own, clock).take()
            got.append(own)
        except LeaseError:
            refused.append(own)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 7)


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"host": "one"}'])
def test_a_file_that_is_no_lease_is_one_line_that_says_what_to_do(lease, store, text):
    lease(ONE).take()
    overwrite(store, text)
    with pytest.raises(
        LeaseError, match=r"^the lake LAKE: leases/writer\.json is not a lease: .+$"
    ):
        lease(ONE).take()


def test_a_lake_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "lake").write_text("a file")
    lease = writer_lease(Lake(str(tmp_path / "lake")), ONE)
    with pytest.raises(LakeAwayError, match=r"^the lake .+ cannot be reached .+: check USAGE_LAKE"):
        lease.take()


def test_a_holder_is_a_folder_on_a_machine_whatever_the_machine_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert holder_of(Path("data")) == holder_of(tmp_path / "data") != holder_of(tmp_path)


def test_a_lease_of_damaged_bytes_is_no_lease_in_one_line(tmp_path):
    lake = Lake(str(tmp_path))
    mine = writer_lease(lake, ONE)
    mine.take()
    (tmp_path / "leases" / "writer.json").write_bytes(b"\xff\x00{")
    with pytest.raises(LeaseError, match=r"writer\.json is not a lease: make sure"):
        mine.take()


@pytest.mark.aws
def test_an_s3_that_is_away_or_refuses_is_one_line(s3_lake, monkeypatch):
    gone = Lake("s3://no-such-bucket/lake")
    with pytest.raises(LakeAwayError, match=r"^the lake s3://no-such-bucket/lake cannot be reach"):
        writer_lease(gone, ONE).take()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(LakeAwayError, match=r"^the lake s3://.+ cannot be reached .+: check USAGE"):
        writer_lease(s3_lake, ONE).take()


def test_after_the_clock_was_set_back_a_dead_holder_is_waited_for_as_long_as_a_lease_lasts(
    store, lease, clock
):
    lease(ONE).take()
    clock.now -= timedelta(days=1)
    waited = []
    Lease("LAKE", store, OTHER, clock, pause=waited.append).take()
    assert sum(waited) == LEASE_SECONDS
    with pytest.raises(LeaseError, match="written to by other:/data"):
        lease(ONE).take()


def test_after_the_clock_was_set_back_a_living_holder_keeps_it(store, lease, clock):
    living = lease(ONE)
    living.take()
    clock.now -= timedelta(days=1)

    def renew(seconds):
        del seconds
        clock.now += timedelta(seconds=5)
        overwrite(store, Held(ONE, NOON, NOON, NOON + timedelta(seconds=99)).text())

    with pytest.raises(LeaseError, match="written to by one:/data"):
        Lease("LAKE", store, OTHER, clock, pause=renew).take()


def test_who_lost_it_hears_of_it_at_once_whatever_the_clock_says(store, lease, clock):
    mine = Lease("LAKE", store, ONE, clock, pause=lambda seconds: pytest.fail("waits"))
    mine.take()
    overwrite(store, Held(OTHER, NOON, NOON, NOON + timedelta(days=1)).text())
    with pytest.raises(LeaseError, match="written to by other:/data"):
        mine.take()


def test_a_lease_of_a_former_version_is_its_holders_by_host_and_folder(store, lease, clock):
    overwrite(store, Held(ONE, clock.now, clock.now, clock.now + timedelta(seconds=60)).text())
    lease(Holder("one", "/data", "an-id")).take()
    assert Held.parsed(store.read()).holder.id == "an-id"
