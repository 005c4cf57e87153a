"""Work that is done again after a failure and a wait, as the sensors do it."""

import time
from collections.abc import Callable

TRIES = 10
BETWEEN_TRIES_S = 10.0


def until_done(work: Callable[[], None]) -> None:
    """Do it until it succeeds: a busy machine fails it cold.

    Raises:
        Exception: The last try's.
    """
    for left in reversed(range(TRIES)):
        try:
            return work()
        except Exception:
            if not left:
                raise
            time.sleep(BETWEEN_TRIES_S)
    return None
