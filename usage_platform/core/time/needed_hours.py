"""The hours of the day in which a building is needed, as people write them: 08:00-18:30."""

import re
from contextlib import suppress
from dataclasses import dataclass

_DAY_MINUTES = 1440
_WRITTEN = re.compile(r"(\d{1,2}):(\d{2}) ?- ?(\d{1,2}):(\d{2})")


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
        if not 0 <= self.start < self.stop <= _DAY_MINUTES:
            raise ValueError(
                f"needed hours {self.start} to {self.stop}: expected minutes of the day, the start "
                "before the stop, both within 0 to 1440"
            )

    def __str__(self) -> str:
        start, stop = (f"{at // 60:02d}:{at % 60:02d}" for at in (self.start, self.stop))
        return f"{start}-{stop}"


Schedule = tuple[NeededHours | None, NeededHours | None, NeededHours | None]
"""The needed hours of Mondays to Fridays, Saturdays, and Sundays and rest days; None for closed."""


_DAYS = ("weekdays", "saturdays", "sundays")


def written_schedule(schedule: Schedule) -> str:
    """A schedule as the file of groups writes it, without the days on which it is closed."""
    return ", ".join(f"{day} {hours}" for day, hours in zip(_DAYS, schedule, strict=True) if hours)


def parse_needed_hours(text: object) -> NeededHours:
    """The hours of a text such as 08:00-18:30; 24:00 is the end of the day.

    Raises:
        ValueError: In one line, if it is no such text, or the end is not behind the start.
    """
    found = _WRITTEN.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is not None:
        hour, minute, end_hour, end_minute = (int(part) for part in found.groups())
        if max(minute, end_minute) < 60:
            with suppress(ValueError):
                return NeededHours(60 * hour + minute, 60 * end_hour + end_minute)
    raise ValueError(
        f"expected a start and, later on the same day, an end, such as '08:00-18:30', got {text!r}"
    )
