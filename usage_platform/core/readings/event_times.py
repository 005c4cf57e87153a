"""The time of an event: as it is written, as an instant, and on the grid of its meter.

Belongs here: the forms in which programs write times, and which of them name one instant.
Not here: times in files (`csv_rows`), other fields of an event (`event_fields`).
"""

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.limits import FUTURE_TOLERANCE
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.reject_reasons import Reason

# Python and Go write at most what Java does: nine digits and an offset with a colon. PostgreSQL
# writes +00 and -0530, .NET seven digits, Ruby a blank before the offset.
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ]((?:[01]\d|2[0-3]):\d\d(?::\d\d)?)(?:(?<=:\d\d:\d\d)\.(\d{1,9}))?"
    r"(?: ?(?:(Z)|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?))?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - differences of wall-clock times
# Seconds of the year 5138, milliseconds of 1973: no number means both an acceptable second and an
# acceptable millisecond.
_LEAST_MILLISECONDS = 1e11
_MOST_MILLISECONDS = 1e14
# Whatever is beyond is too old or too new by any limits, and pandas cannot hold all of it.
_FIRST, _LAST = (pd.Timestamp(day).value for day in ("1900-01-01", "2200-01-01"))
_NONE = np.iinfo(np.int64).min
_SECOND, _MINUTE = 1_000_000_000, 60_000_000_000

_Objects = npt.NDArray[np.object_]
_Bools = npt.NDArray[np.bool_]


class EventTime(NamedTuple):
    """A time as an event has it.

    Attributes:
        ns: Nanoseconds since 1970 UTC or, of a local time, since 1970 by the meter's own clock.
        is_local: Whether it has no offset.
    """

    ns: int
    is_local: bool


class EventTimes(NamedTuple):
    """The times of n events.

    Attributes:
        ns: int64, shape (n,): as of `EventTime`; the least integer where there is no time.
        is_local: bool, shape (n,): as of `EventTime`.
    """

    ns: Ints
    is_local: _Bools


def no_times(count: int) -> EventTimes:
    """So many times, to be filled: none is there yet."""
    return EventTimes(np.full(count, _NONE, dtype=np.int64), np.zeros(count, dtype=np.bool_))


def event_times(times: Sequence[EventTime | None]) -> EventTimes:
    """Times in arrays."""
    filled = no_times(len(times))
    for place, time in enumerate(times):
        if time is not None:
            filled.ns[place], filled.is_local[place] = time
    return filled


def read_time(ts: str | float) -> EventTime | None:
    """A time as an event writes it; None if it is none.

    Args:
        ts: Text in ISO 8601 or RFC 3339 with up to nine digits of a second, with an offset or
            without; or seconds or milliseconds since 1970.
    """
    return _read_text(ts) if isinstance(ts, str) else _read_number(ts)


def _read_text(text: str) -> EventTime | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    day, clock, fraction, utc, sign, hours, minutes = found.groups()
    try:
        wall = datetime.fromisoformat(f"{day}T{clock}") - _EPOCH
    except ValueError:
        return None
    ns = (wall.days * 86_400 + wall.seconds) * _SECOND
    if fraction:
        ns += int(fraction.ljust(9, "0"))
    if sign:
        ahead = int(hours) * 60 + int(minutes or 0)
        ns -= (ahead if sign == "+" else -ahead) * _MINUTE
    return EventTime(min(max(ns, _FIRST), _LAST), not (utc or sign))


def _read_number(number: float) -> EventTime | None:
    if not abs(number) < _MOST_MILLISECONDS:
        return None
    unit = _SECOND if abs(number) < _LEAST_MILLISECONDS else 1_000_000
    whole = math.floor(number)
    ns = whole * unit + round((number - whole) * unit)
    return EventTime(min(max(ns, _FIRST), _LAST), False)


def event_instants(
    times: EventTimes,
    meters: _Objects,
    received: pd.Series,
    registry: MeterRegistry,
) -> tuple[pd.Series, _Objects]:
    """The instants of events, and what is wrong with them.

    Args:
        times: n times; where there is none, there is neither an instant nor a fault.
        meters: The n meters' names; None where there is no time either.
        received: The broker's timestamps, n values, datetime64[ns, UTC], index 0 to n - 1.
        registry: Gives the meters' zones and intervals, and the oldest accepted day.

    Returns:
        n instants (datetime64[ns, UTC] or NaT), and n texts of `Reason` or None.
    """
    instants, faults = instants_at_any_time(times, meters, received, registry)
    given = np.flatnonzero(instants.notna().to_numpy() & (faults == None))  # noqa: E711 - by element
    for (zone, minutes), places in _by_clock(given, meters, registry).items():
        off_grid = ~_is_on_grid(instants.iloc[places], zone, minutes)
        _mark(faults, places[off_grid], Reason.OFF_GRID.filled(registry.limits, minutes))
    return instants, faults


def instants_at_any_time(
    times: EventTimes,
    meters: _Objects,
    received: pd.Series,
    registry: MeterRegistry,
) -> tuple[pd.Series, _Objects]:
    """The same for times that need not start an interval, such as those of samples."""
    ns, is_local = times
    instants = pd.Series(pd.DatetimeIndex(ns).tz_localize("UTC"))
    faults = np.full(len(ns), None, dtype=object)
    latest = received + FUTURE_TOLERANCE
    oldest = pd.Timestamp(registry.limits.oldest_day, tz="UTC")
    local = np.flatnonzero((ns != _NONE) & is_local)
    for (zone, _), places in _by_clock(local, meters, registry).items():
        instants.iloc[places], faults[places] = _localized(ns[places], zone, latest.iloc[places])
    _mark(faults, np.flatnonzero((instants > latest).to_numpy()), Reason.FUTURE_TIME)
    too_old = np.flatnonzero((instants < oldest).to_numpy())
    _mark(faults, too_old, Reason.TOO_OLD.filled(registry.limits))
    return instants, faults


def _mark(faults: _Objects, places: npt.NDArray[np.intp], text: str) -> None:
    faults[places] = str(text)


def _by_clock(
    places: npt.NDArray[np.intp], meters: _Objects, registry: MeterRegistry
) -> dict[tuple[str, int], npt.NDArray[np.intp]]:
    """The positions of the events by their meter's zone and interval."""
    codes, names = pd.factorize(meters[places])
    known = [registry.get(str(name)) for name in names]
    clocks = [(meter.timezone, meter.interval_minutes) for meter in known]
    numbers = {clock: number for number, clock in enumerate(dict.fromkeys(clocks))}
    of_events = np.array([numbers[clock] for clock in clocks], dtype=np.intp)[codes]
    return {clock: places[of_events == number] for clock, number in numbers.items()}


def _localized(
    ns: npt.NDArray[np.int64], zone: str, latest: pd.Series
) -> tuple[pd.Series, _Objects]:
    """The instants of wall-clock times; of the hour that comes twice, the one that can be.

    An event that the broker received before the second of the two had come is of the first. One
    that it received later may be late, so that both are left.

    Args:
        ns: Nanoseconds since 1970 by the clocks of the zone.
        zone: IANA name.
        latest: The last instant that each event can be of, datetime64[ns, UTC].
    """
    local = pd.Series(pd.DatetimeIndex(ns), index=latest.index)
    first, second = (
        local.dt.tz_localize(zone, ambiguous=np.full(len(local), is_dst), nonexistent="NaT")
        .dt.tz_convert("UTC")
        .astype("datetime64[ns, UTC]")
        for is_dst in (True, False)
    )
    faults = np.full(len(local), None, dtype=object)
    faults[first.isna().to_numpy()] = Reason.NONEXISTENT_TIME.value
    is_open = ((first != second) & first.notna() & (second <= latest)).to_numpy()
    faults[is_open] = Reason.AMBIGUOUS_TIME.value
    return first.where(~is_open), faults


def _is_on_grid(instants: pd.Series, zone: str, minutes: int) -> _Bools:
    """Whether instants start an interval by the clocks of the zone; True for NaT."""
    wall = instants.dt.tz_convert(zone).dt.tz_localize(None)
    interval = timedelta(minutes=minutes)
    return ((wall == wall.dt.floor(interval)) | wall.isna()).to_numpy(np.bool_)
