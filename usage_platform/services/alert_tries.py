"""When an alert that a sink did not take is tried again, and when it is given up.

Belongs here: the rule for all ways of delivery. Not here: sending (`deliver_alerts`,
`deliver_queue`).
"""

from datetime import datetime

from usage_platform.adapters.stores.alert_record import Failing
from usage_platform.core.alerts.alert import DeliveryError
from usage_platform.core.time.waiting import seconds_left

MOST_TRIES = 8
"""Tries before an alert becomes a dead letter, a quarter of an hour after the first one."""

_FIRST_WAIT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 300.0


def is_too_early(failing: Failing | None, key: str, now: datetime) -> bool:
    """Whether an alert failed before and its next try is not due yet.

    Args:
        failing: What failed last, if anything did.
        key: The alert's key.
        now: The current time, with a zone.
    """
    if failing is None or failing.key != key:
        return False
    return seconds_left(failing.next_try, now.timestamp(), _LONGEST_WAIT_SECONDS) > 0


def failed(before: Failing | None, key: str, error: DeliveryError, now: datetime) -> Failing:
    """What to keep of a failed try; `next_try` is infinite if there is none.

    Args:
        before: What failed last, if anything did.
        key: The alert's key.
        error: Why it was not taken.
        now: The current time, with a zone.
    """
    tries = 1 + (before.tries if before and before.key == key else 0)
    if error.lasting or tries >= MOST_TRIES:
        return Failing(key=key, tries=tries, next_try=float("inf"))
    wait = min(_FIRST_WAIT_SECONDS * 2.0 ** (tries - 1), _LONGEST_WAIT_SECONDS)
    return Failing(key=key, tries=tries, next_try=now.timestamp() + wait)


def is_given_up(failing: Failing) -> bool:
    """Whether there is no other try."""
    return failing.next_try == float("inf")
