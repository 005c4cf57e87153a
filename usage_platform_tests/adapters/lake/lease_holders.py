"""Two holders of a lease, and whatever else writes where it is kept."""

from datetime import UTC, datetime

from usage_platform.adapters.lake.lease_record import Holder

ONE, OTHER = Holder("one", "/data"), Holder("other", "/data")
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
SOON = 0.05
"""Seconds between two renewals."""


def overwrite(store, text):
    """As nothing should: whatever stands there."""
    while not store.replace(store.read(), text):
        pass
