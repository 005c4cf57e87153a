"""A lease that is renewed in the background: its renewals, and how its loss is reported."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from usage_platform.adapters.lake.lease import (
    LEASE_SECONDS,
    LeaseError,
    writer_lease,
)
from usage_platform.adapters.lake.lease_record import Held
from usage_platform.adapters.lake.lease_renewer import LeaseRenewer, only_while_held
from usage_platform.adapters.lake.lease_store import FolderStore
from usage_platform.adapters.spark.session import interrupt, remote_session
from usage_platform_tests.adapters.lake.lease_holders import ONE, OTHER, SOON, overwrite


def test_while_kept_it_is_renewed_and_its_loss_is_told(lease, store, clock):
    lost = threading.Event()
    with LeaseRenewer(lease(ONE), lost.set, SOON) as kept:
        clock.now += timedelta(seconds=10)
        while json.loads(store.read())["renewed"] != clock.now.isoformat():
            assert not lost.wait(SOON)
        kept.check()
        clock.now += timedelta(seconds=LEASE_SECONDS)
        others = Held(OTHER, clock.now, clock.now, clock.now + timedelta(hours=1)).text()
        overwrite(store, others)
        assert lost.wait(60)
        with pytest.raises(LeaseError, match="written to by other:/data"):
            kept.check()


def test_a_renewal_that_fails_for_any_reason_is_a_loss_and_not_the_silent_end_of_a_thread(
    lease, store, monkeypatch
):
    def fails():
        raise RuntimeError("of a library\nwith details")

    lost = threading.Event()
    mine = lease(ONE)
    with LeaseRenewer(mine, lost.set, SOON) as kept:
        monkeypatch.setattr(mine, "take", fails)
        assert lost.wait(60)
        with pytest.raises(LeaseError, match=r"cannot be renewed \(RuntimeError: of a library\)"):
            kept.check()


@pytest.mark.spark
def test_work_of_spark_is_broken_off_when_the_lease_is_lost(spark_url, lake):
    endless = "SELECT count(*) FROM range(1000000000000) a JOIN range(1000) b ON a.id % 7 = b.id"
    store = FolderStore(f"{lake.root}/leases", "writer")
    now = datetime.now(UTC)
    others = Held(OTHER, now, now, now + timedelta(hours=1)).text()

    def move_it():
        while not store.replace(store.read(), others):
            pass

    with remote_session(spark_url) as spark:
        kept = LeaseRenewer(writer_lease(lake, ONE), lambda: interrupt(spark), SOON)
        threading.Timer(0.5, move_it).start()
        with pytest.raises(LeaseError, match="written to by other:/data"), only_while_held(kept):
            spark.sql(endless).collect()
