"""Whether a wait by the wall clock is over, on a machine whose clock may be set back.

Belongs here: waits that outlive a process, whose start or end is stored as a time of day. Not here:
waits within a process, which use a monotonic clock.
"""


def seconds_left(end: float, now: float, longest: float) -> float:
    """Seconds until a stored end of a wait; 0 when it is over.

    An end that is further away than the longest possible wait says that the clock was set back
    since it was stored: the wait is over, because nobody knows how much of it has passed.

    Args:
        end: When the wait ends, seconds since 1970.
        now: The current time, seconds since 1970.
        longest: The longest possible wait in seconds.
    """
    left = end - now
    return left if 0 < left <= longest else 0.0
