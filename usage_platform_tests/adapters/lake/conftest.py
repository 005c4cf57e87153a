"""A lease, the place where it is kept, and a clock that tests set."""

from functools import partial

import pytest

from usage_platform.adapters.lake.lease import (
    Lease,
)
from usage_platform.adapters.lake.lease_store import FolderStore, ObjectStore
from usage_platform_tests.adapters.lake.lease_holders import NOON


class Clock:
    now = NOON

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.aws)])
def new_store(request, tmp_path):
    """Ask for the place where the lease is kept, as each platform does for itself."""
    if request.param == "folder":
        return partial(FolderStore, f"{tmp_path}/leases", "writer")
    return partial(ObjectStore, f"{request.getfixturevalue('s3_lake').root}/leases", "writer")


@pytest.fixture
def store(new_store):
    """Where the lease is kept."""
    return new_store()


@pytest.fixture
def lease(store, clock):
    """Make a holder's side of the one lease."""
    return lambda holder: Lease("LAKE", store, holder, clock)
