"""Slow things: a load that creeps up or has shifted for good, which no single reading shows.

Belongs here: comparing the last two weeks with the eight before them. Not here: single anomalous
readings (`score`), whose expected values follow such a change and so hide it.

Each day is compared with the days of its type in the eight weeks before: by its night level
(the tenth percentile; not the base load of `core.load.load_shape`) and by its mean. How much that
usually moves is learned from the days before; seasons are in it.
"""

from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import day_type, days_by_step
from usage_platform.core.detector.grid import to_grid
from usage_platform.core.detector.robust import robust_size
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_DAY

RECENT_DAYS = 14
BEFORE_DAYS = 56
HISTORY_DAYS = 2 * (RECENT_DAYS + BEFORE_DAYS)
"""How much of the past is looked at: as much again as is compared, to learn what is usual."""

_NIGHT_QUANTILE = 0.1
_LEAST_SHARE = 0.05
_SIZES = 4.0
_LEAST_COMPARABLES = 3


@dataclass(frozen=True)
class SlowChange:
    """A change of weeks.

    Attributes:
        what: `night level` or `daily mean`.
        before_kw: Usual value in the eight weeks before, day types as they come now.
        now_kw: Usual value in the last two weeks.
        usual_share: By how much of itself it usually moves.
    """

    what: str
    before_kw: float
    now_kw: float
    usual_share: float

    @property
    def share(self) -> float:
        """The change as a share of what was before."""
        return self.now_kw / self.before_kw - 1.0

    @property
    def is_significant(self) -> bool:
        """Whether it is four times what is usual, and at least a twentieth."""
        return abs(self.share) > max(_SIZES * self.usual_share, _LEAST_SHARE)


def slow_changes(
    instants: Ints, values: Floats, meter: Meter, calendar: Calendar
) -> list[SlowChange]:
    """How night level and mean have changed at the end of a series; empty with too few days.

    Empty for a net meter too: shares of a level near 0 say nothing.

    Args:
        instants: n interval starts, ns since 1970 UTC, ascending, each once.
        values: n powers, kW.
        meter: The meter.
        calendar: Its rest days.
    """
    if (
        meter.is_net
        or not len(instants)
        or instants[-1] - instants[0] < (RECENT_DAYS + BEFORE_DAYS) * NS_A_DAY
    ):
        return []
    table, weekday = days_by_step(to_grid(instants, values, meter, calendar, 0))
    whole = np.count_nonzero(~np.isnan(table), axis=1) >= table.shape[1] / 2
    table, kinds = table[whole], day_type(weekday[whole])
    by_day = {
        "night level": np.nanquantile(table, _NIGHT_QUANTILE, axis=1),
        "daily mean": np.nanmean(table, axis=1),
    }
    found = (_change(what, sizes, kinds) for what, sizes in by_day.items())
    return [change for change in found if change is not None]


def _change(what: str, sizes: Floats, kinds: Ints) -> SlowChange | None:
    before = _usual_before(sizes, kinds)
    moved = sizes / before - 1.0
    recent, past = slice(-RECENT_DAYS, None), slice(None, -RECENT_DAYS)
    known = ~np.isnan(moved)
    if not known[recent].any() or not known[past].any():
        return None
    usual = float(np.nanmedian(before[recent]))
    return SlowChange(
        what=what,
        before_kw=usual,
        now_kw=usual * (1.0 + float(np.nanmedian(moved[recent]))),
        usual_share=robust_size(moved[past]),
    )


def _usual_before(sizes: Floats, kinds: Ints) -> Floats:
    """Of each day, the median of its type's days in the eight weeks that end two weeks before."""
    days = np.arange(len(sizes))
    usual = np.full(len(sizes), np.nan)
    for day in days:
        near = (days < day - RECENT_DAYS) & (days >= day - RECENT_DAYS - BEFORE_DAYS)
        own = sizes[near & (kinds == kinds[day]) & (sizes > 0)]
        if len(own) >= _LEAST_COMPARABLES:
            usual[day] = np.median(own)
    return usual
