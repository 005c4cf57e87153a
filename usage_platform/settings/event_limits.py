"""The limits of events that the settings name.

Belongs here: the limits from the values of settings, and whether they fit to the source. Not here:
the settings themselves (`settings`), checking events (`core.readings`).
"""

from datetime import date

from usage_platform.core.limits import EventLimits
from usage_platform.settings.value_types import names_of


def chosen_limits(oldest: date, event_bytes: int, meters: int, allowed: str) -> EventLimits:
    """The limits that four settings name, `allowed` with commas."""
    return EventLimits(oldest, event_bytes, meters, names_of(allowed))


def check_limits(
    limits: EventLimits, meter: str, generated_meters: int | None, generated_start: date
) -> None:
    """Check that what the platform plays by itself is accepted.

    Args:
        limits: The limits.
        meter: The name of the default meter.
        generated_meters: How many meters are generated; None for another source.
        generated_start: The first day that is generated.

    Raises:
        ValueError: In one line, naming the settings.
    """
    allowed = limits.allowed_meters
    if allowed and meter not in allowed:
        raise ValueError(
            f"USAGE_METERS_ALLOWED: does not name USAGE_METER={meter}; add it, or set USAGE_METER "
            "to one of them"
        )
    if generated_meters is None:
        return
    if generated_meters > (len(allowed) or limits.meters):
        raise ValueError(
            f"USAGE_GENERATED_METERS={generated_meters}: more than USAGE_METERS_ALLOWED or "
            "USAGE_MAX_METERS accepts; change one of them"
        )
    if generated_start < limits.oldest_day:
        raise ValueError(
            f"USAGE_GENERATED_START={generated_start}: before USAGE_OLDEST_TIME="
            f"{limits.oldest_day}; change one of them"
        )
