"""The hours of the day in which a building is needed, by kind of day."""

from dataclasses import dataclass

from usage_platform.core.time.opening_hours import MINUTES_A_DAY

_DAYS = ("weekdays", "saturdays", "sundays")


@dataclass(frozen=True)
class NeededHours:
    """From when to when a building is needed on a kind of day, in minutes of the local day.

    Attributes:
        start: The first minute.
        stop: The first minute after; above `start`, at most 1440.

    Raises:
        ValueError: If the two are no such minutes.
    """

    start: int
    stop: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop <= MINUTES_A_DAY:
            raise ValueError(
                f"needed hours {self.start} to {self.stop}: expected minutes of the day, the start "
                "before the stop, both within 0 to 1440"
            )

    def __str__(self) -> str:
        start, stop = (f"{at // 60:02d}:{at % 60:02d}" for at in (self.start, self.stop))
        return f"{start}-{stop}"


Schedule = tuple[NeededHours | None, NeededHours | None, NeededHours | None]
"""The needed hours of Mondays to Fridays, Saturdays, and Sundays and rest days; None for closed."""


def written_schedule(schedule: Schedule) -> str:
    """A schedule as the file of groups writes it, without the days on which it is closed."""
    return ", ".join(f"{day} {hours}" for day, hours in zip(_DAYS, schedule, strict=True) if hours)
