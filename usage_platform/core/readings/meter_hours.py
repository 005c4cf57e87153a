"""The hours of meters: those of the clock of each meter's zone.

Belongs here: which hour a time of a meter lies in, for frames of many meters. Not here: the rule
(`core.time.clock_hours`), what a row of an hour holds (`hourly`).

A start is kept as an instant in UTC: 00:00 in Kolkata is 18:30Z of the day before.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.meters import MeterRegistry
from usage_platform.core.time.clock_hours import ClockHours, clock_hours
from usage_platform.core.time.units import instants_of

_HOUR = pd.Timedelta(hours=1)


def are_utc(registry: MeterRegistry) -> bool:
    """Whether the hours of all meters, the unknown ones too, are those of UTC."""
    return all(clock_hours(zone).are_utc for zone in registry.zones)


def latest_begin(registry: MeterRegistry, utc_hour: int) -> int:
    """How long after an hour of UTC the last hour of a meter begins in it, ns; 0 for all of UTC.

    Args:
        registry: Gives the time zones, that of unknown meters too.
        utc_hour: ns since 1970 UTC, a whole hour.
    """
    begins = [clock_hours(zone).begin_in(np.array([utc_hour])) for zone in registry.zones]
    return int(np.max(begins)) - utc_hour


def hour_starts(times: pd.Series, meters: pd.Series, registry: MeterRegistry) -> pd.Series:
    """The start of the hour in which each time lies.

    Args:
        times: datetime64[ns, UTC].
        meters: The meter of each, with the same index.
        registry: Gives each meter's time zone.

    Returns:
        datetime64[ns, UTC], with the same index.
    """
    starts = times.dt.floor("h")
    for own, hours in _by_zone(meters, registry):
        starts = _set(starts, own, hours.starts(instants_of(times[own])))
    return starts


def hour_ends(starts: pd.Series, meters: pd.Series, registry: MeterRegistry) -> pd.Series:
    """The end, exclusive, of the hours that begin at these times.

    Args:
        starts: datetime64[ns, UTC], as from `hour_starts`.
        meters: The meter of each, with the same index.
        registry: Gives each meter's time zone.
    """
    ends = starts + _HOUR
    for own, hours in _by_zone(meters, registry):
        ends = _set(ends, own, hours.ends(instants_of(starts[own])))
    return ends


def are_hours(starts: pd.Series, meters: pd.Series, registry: MeterRegistry) -> pd.Series:
    """Whether hours of the meters' clocks begin at these times; True for NaT.

    Args:
        starts: datetime64[ns, UTC].
        meters: The meter of each, with the same index.
        registry: Gives each meter's time zone.
    """
    return (hour_starts(starts, meters, registry) == starts) | starts.isna()


def expected_counts(hours: pd.DataFrame, registry: MeterRegistry) -> pd.Series:
    """How many readings each hour holds when it is complete.

    Args:
        hours: `meter`, `start` (as from `hour_starts`), `interval_minutes`.
        registry: Gives each meter's time zone.

    Returns:
        int32, like `interval_minutes`.
    """
    minutes = hours.loc[:, "interval_minutes"]
    counts = 60 // minutes
    for own, zone in _by_zone(hours.loc[:, "meter"], registry):
        starts = instants_of(hours.loc[own, "start"])
        found = zone.expected_readings(starts, minutes[own].to_numpy(np.int64))
        counts[own] = found.astype(np.int32)
    return counts


def _by_zone(
    meters: pd.Series, registry: MeterRegistry
) -> Iterator[tuple[npt.NDArray[np.bool_], ClockHours]]:
    """Where the meters of each zone are whose hours are not those of UTC."""
    if are_utc(registry):
        return
    codes, names = pd.factorize(meters)
    zones = np.array([registry.get(str(name)).timezone for name in names], dtype=object)
    for zone in sorted(set(zones)):
        hours = clock_hours(zone)
        if not hours.are_utc:
            yield np.isin(codes, np.flatnonzero(zones == zone)), hours


def _set(times: pd.Series, own: npt.NDArray[np.bool_], instants: np.ndarray) -> pd.Series:
    found = times.copy()
    found[own] = pd.DatetimeIndex(instants.view("datetime64[ns]"), tz="UTC").astype(times.dtype)
    return found
