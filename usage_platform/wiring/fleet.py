"""The figures of all meters, for the page and for the weekly mail.

Belongs here: what they are made from. Not here: making them (`services.fleet`).
"""

import time

from usage_platform.services.fleet import FleetCache, FleetSource
from usage_platform.wiring.platform import Platform


def fleet_of(platform: Platform) -> FleetCache:
    """The figures of all meters."""
    return FleetCache(
        FleetSource(
            reader=platform.reader,
            models=platform.models,
            registry=platform.registry,
            reviews=platform.reviews,
            groups=platform.groups,
            clock=time.monotonic,
            now=time.time_ns,
        )
    )
