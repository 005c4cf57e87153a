"""When a price applies: seasons, days and hours on the meter's wall clock.

Belongs here: how they are written in a tariff file, and which local times they hold. Not here:
prices (`tariff`), instants (`pieces`).
"""

import re
from typing import Annotated, cast

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, BeforeValidator, ConfigDict

from usage_platform.core.arrays import Ints

MINUTES_A_DAY = 1440
HOLIDAY = 7
"""The kind of a day that is a public holiday; the others are 0 (Monday) to 6 (Sunday)."""

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays")
_KINDS: dict[str, tuple[int, ...]] = {
    **{name: (kind,) for kind, name in enumerate(DAY_NAMES)},
    "weekdays": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
}
_DAYS_A_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SEASON = re.compile(r"(\d\d)-(\d\d)\.\.(\d\d)-(\d\d)", re.ASCII)
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


def _season(text: object) -> tuple[int, int]:
    found = _SEASON.fullmatch(text) if isinstance(text, str) else None
    if found is not None:
        numbers = [int(number) for number in found.groups()]
        if _is_day(*numbers[:2]) and _is_day(*numbers[2:]):
            return numbers[0] * 100 + numbers[1], numbers[2] * 100 + numbers[3]
    raise ValueError("expected the first and last day of a season such as 06-01..09-30")


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _DAYS_A_MONTH[month - 1]


def _hours(text: object) -> tuple[int, int]:
    found = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if found is not None:
        first, first_minute, last, last_minute = (int(number) for number in found.groups())
        start, end = 60 * first + first_minute, 60 * last + last_minute
        is_clock = max(first_minute, last_minute) < 60 and start < end <= MINUTES_A_DAY
        # Over midnight, such as 22:00-06:00.
        is_over_midnight = max(first_minute, last_minute) < 60 and end < start < MINUTES_A_DAY
        if is_clock or is_over_midnight:
            return start, end
    raise ValueError("expected a start and an end such as 08:00-20:00 or 22:00-06:00")


def _days(texts: object) -> object:
    if isinstance(texts, frozenset):
        return cast("frozenset[object]", texts)
    names = [str(text) for text in cast("list[object]", texts)] if isinstance(texts, list) else []
    if not names or not set(names) <= _KINDS.keys():
        raise ValueError(f"expected a list of {', '.join(_KINDS)}")
    return frozenset(kind for name in names for kind in _KINDS[name])


Season = Annotated[tuple[int, int], BeforeValidator(_season)]
"""First and last day of a season, both in it, as 100 * month + day; it may pass New Year."""

Hours = Annotated[tuple[int, int], BeforeValidator(_hours)]
"""Start and end of a part of each day in minutes of the wall clock, the end exclusive; where the
end is the smaller one, the part after it and the part before it, of the same day."""

Days = Annotated[frozenset[int], BeforeValidator(_days)]
"""Kinds of days: 0 (Monday) to 6 (Sunday), and `HOLIDAY`."""


class Times(BaseModel):
    """The local times at which something applies. An empty field restricts nothing.

    Attributes:
        seasons: Parts of the year.
        days: Kinds of days. A public holiday is a `HOLIDAY` and no weekday.
        hours: Parts of the day. Each is compared with the calendar day's own clock, so 22:00-06:00
            on weekdays is 00:00 to 06:00 and 22:00 to 24:00 of each weekday.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seasons: tuple[Season, ...] = ()
    days: Days = frozenset()
    hours: tuple[Hours, ...] = ()

    @property
    def is_always(self) -> bool:
        """Whether nothing is restricted."""
        return not (self.seasons or self.days or self.hours)

    @property
    def edges(self) -> set[int]:
        """The minutes of the day at which something begins or ends."""
        return {edge for hours in self.hours for edge in hours}

    def holds_days(self, month_days: Ints) -> npt.NDArray[np.bool_]:
        """Which days are in a season; `month_days` as 100 * month + day."""
        return _any_of(month_days, self.seasons, is_last_in=True)

    def holds(self, month_days: Ints, kinds: Ints, minutes: Ints) -> npt.NDArray[np.bool_]:
        """At which local times it applies.

        Args:
            month_days: Shape (n,): the dates as 100 * month + day.
            kinds: Shape (n,): the kinds of the days.
            minutes: Shape (n,): minutes since the local midnight on the wall clock.
        """
        inside = self.holds_days(month_days) & _any_of(minutes, self.hours, is_last_in=False)
        return inside & np.isin(kinds, list(self.days)) if self.days else inside


def _any_of(
    values: Ints, spans: tuple[tuple[int, int], ...], *, is_last_in: bool
) -> npt.NDArray[np.bool_]:
    inside = np.full(values.shape, not spans)
    for first, last in spans:
        before = values <= last if is_last_in else values < last
        inside |= (values >= first) | before if last < first else (values >= first) & before
    return inside


def every_local_time(edges: set[int]) -> tuple[Ints, Ints, Ints]:
    """Each kind of day of each date of a leap year at each of some minutes, as three arrays.

    They are what `Times.holds` takes; of minutes those of `edges` are enough, and midnight.
    """
    month_days = np.array(
        [100 * (n + 1) + day for n, days in enumerate(_DAYS_A_MONTH) for day in range(1, days + 1)]
    )
    minutes = np.array(sorted({0} | {edge % MINUTES_A_DAY for edge in edges}))
    grid = np.meshgrid(month_days, np.arange(HOLIDAY + 1), minutes, indexing="ij")
    return grid[0].ravel(), grid[1].ravel(), grid[2].ravel()
