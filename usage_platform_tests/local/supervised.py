"""Time that passes only when a test says so, and a supervisor looked at as it does."""

import threading

from usage_platform.local.asking import ASK_EVERY_S


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def look_after_an_interval(supervisor, clock) -> None:
    """Look once when the next ask is due, and let what is asked then be answered."""
    clock.now += ASK_EVERY_S
    supervisor.look()
    for thread in threading.enumerate():
        if thread.name == "asking":
            thread.join()
